/** A stranger's line of text, so that it shows what it holds: invisible and direction-changing characters by name. */

export type Piece = { text: string } | { invisible: string };

const NAMED: Record<number, string> = {
  0x00ad: 'soft hyphen',
  0x034f: 'grapheme joiner',
  0x061c: 'Arabic letter mark',
  0x180e: 'vowel separator',
  0x200b: 'zero width space',
  0x200c: 'zero width non-joiner',
  0x200d: 'zero width joiner',
  0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark',
  0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding',
  0x202c: 'pop directional formatting',
  0x202d: 'left-to-right override',
  0x202e: 'right-to-left override',
  0x2060: 'word joiner',
  0x2066: 'left-to-right isolate',
  0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate',
  0x2069: 'pop directional isolate',
  0x3164: 'Hangul filler',
  0xfeff: 'byte order mark',
  0xffa0: 'Hangul filler',
};
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** Says that the sign before it is an emoji. */
const EMOJI_FORM = '\ufe0f';
/** Between these a joiner is part of the writing: emoji, and the scripts that need it. */
const JOINED =
  /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Syriac}\p{Script=Mongolian}]/u;

export function pieces(line: string): Piece[] {
  const out: Piece[] = [];
  const signs = [...line];
  let text = '';
  signs.forEach((sign, at) => {
    const joins =
      (sign === '\u200d' || sign === '\u200c') &&
      JOINED.test(signs[at - 1] ?? '') &&
      JOINED.test(signs[at + 1] ?? '');
    if (joins || sign === EMOJI_FORM || !INVISIBLE.test(sign)) {
      text += sign;
      return;
    }
    if (text !== '') out.push({ text });
    text = '';
    out.push({ invisible: nameOf(sign.codePointAt(0) as number) });
  });
  if (text !== '') out.push({ text });
  return out;
}

function nameOf(code: number): string {
  return NAMED[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

const SCRIPTS: [string, RegExp][] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
];
/** Letters of other scripts that look like Latin ones. */
const LOOKALIKE = /^[аеорсухіјѕһԁԛԝѵьЬАВЕКМНОРСТУХІЈЅαορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսհցԁ]+$/u;

/** Why a word may pass for another: it mixes scripts that look alike, or is written in lookalikes alone. */
export function mixedScripts(text: string): string | undefined {
  for (const word of text.split(/[^\p{L}\p{M}]+/u)) {
    const found = SCRIPTS.filter(([, script]) => script.test(word)).map(([name]) => name);
    if (found.length > 1) return `“${word}” mixes ${found.join(' and ')} letters`;
  }
  return undefined;
}

/** An address whose domain people read otherwise than machines: the ASCII form of its domain; else nothing. */
export function asciiDomain(address: string): string | undefined {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  let ascii: string;
  try {
    ascii = new URL(`https://${domain}/`).hostname;
  } catch {
    return undefined;
  }
  return ascii === domain.toLowerCase() && !ascii.includes('xn--') ? undefined : ascii;
}

/** Whether a domain's label is made of letters that look like Latin ones. */
export function looksLatin(domain: string): boolean {
  return domain.split('.').some((label) => LOOKALIKE.test(label));
}

/** A name that looks like an address other than the one it stands beside. */
export function namesAnother({ name, address }: { name?: string | null; address: string }): boolean {
  const plain = (name ?? '').normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  const named = /[^\s<>()"',;]+@[^\s<>()"',;]+\.[^\s<>()"',;]+/.exec(plain)?.[0];
  return named !== undefined && named.toLowerCase() !== address.toLowerCase();
}
