/**
 * A mail's CSS, reduced to what cannot load, move over anything or run. The frame's policy and its sandbox forbid all of
 * it again; this is the first of three. Whatever is not understood is left out.
 */

/** What the CSS may show. Counts what it was not allowed to. */
export type CssRules = {
  /** What a URL becomes; `undefined` leaves the declaration out. */
  url: (url: string) => string | undefined;
};

/** Longer than any honest newsletter's; what is beyond is not read. */
const LONGEST = 500_000;
const DEEPEST = 4;
const KEPT_AT_RULES = new Set(['media', 'supports', 'layer']);
const PROPERTY = /^(?:--)?-?[a-z][a-z0-9-]*$/;
const FORBIDDEN_PROPERTIES =
  /^(?:--.*|behaviou?r|-moz-binding|-ms-behaviou?r|.*filter|animation.*|will-change|view-transition.*|anchor.*|timeline.*|cursor|content-visibility|unicode-bidi|src)$/;
/** Functions that name something to load, whatever the property, or that ran in old browsers. */
const FORBIDDEN_FUNCTIONS =
  /(?:^|[^a-z-])(?:expression|image-set|-webkit-image-set|image|cross-fade|-webkit-cross-fade|element|-moz-element|paint|src|attr|var|env)\(/;
const URL_FUNCTION = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]*))\s*\)/g;

/** The text of a `<style>` element. */
export function cleanSheet(css: string, rules: CssRules): string {
  return new Reader(withoutComments(css.slice(0, LONGEST)), rules).sheet(0).join('\n');
}

/** The text of a `style` attribute. */
export function cleanDeclarations(css: string, rules: CssRules): string {
  return declarations(withoutComments(css.slice(0, LONGEST)), rules).join('; ');
}

class Reader {
  private at = 0;

  constructor(
    private readonly css: string,
    private readonly rules: CssRules,
  ) {}

  /** Rules up to the end, or to the brace that closes the block that was entered. */
  sheet(depth: number): string[] {
    const out: string[] = [];
    while (this.at < this.css.length) {
      const prelude = this.until('{;}');
      const end = this.css[this.at];
      this.at += 1;
      if (end === '}' && depth > 0) return out;
      // `@import …;` and `@charset …;`, or a brace too many.
      if (end !== '{') continue;
      const rule = this.rule(prelude.trim(), depth);
      if (rule !== undefined) out.push(rule);
    }
    return out;
  }

  private rule(prelude: string, depth: number): string | undefined {
    const lower = prelude.toLowerCase();
    if (!lower.startsWith('@')) {
      const inside = declarations(this.block(), this.rules);
      return isSelector(prelude) && inside.length > 0 ? `${prelude} { ${inside.join('; ')} }` : undefined;
    }
    const name = /^@([a-z-]+)/.exec(lower)?.[1];
    if (name === undefined || !KEPT_AT_RULES.has(name) || !isCondition(prelude) || depth >= DEEPEST) {
      this.block();
      return undefined;
    }
    const inside = this.sheet(depth + 1);
    return inside.length > 0 ? `${prelude} { ${inside.join(' ')} }` : undefined;
  }

  /** The text up to the matching brace, which is passed. */
  private block(): string {
    const from = this.at;
    let open = 1;
    while (open > 0 && this.at < this.css.length) {
      this.until('{}');
      open += this.css[this.at] === '{' ? 1 : -1;
      this.at += 1;
    }
    return this.css.slice(from, Math.max(from, this.at - 1));
  }

  /** The text up to one of `ends` that stands in no string and no parenthesis. */
  private until(ends: string): string {
    const from = this.at;
    this.at = endOf(this.css, this.at, ends);
    return this.css.slice(from, this.at);
  }
}

/** One declaration of a kind that cannot be split is none at all: nested rules go too. */
function declarations(css: string, rules: CssRules): string[] {
  const out: string[] = [];
  for (let at = 0; at < css.length; at += 1) {
    const end = endOf(css, at, ';{}');
    if (css[end] === '{') {
      // A nested rule, which mail does not use.
      at = endOf(css, end, '}');
      continue;
    }
    const declaration = clean(css.slice(at, end), rules);
    if (declaration !== undefined) out.push(declaration);
    at = end;
  }
  return out;
}

function clean(declaration: string, rules: CssRules): string | undefined {
  const colon = declaration.indexOf(':');
  if (colon < 0) return undefined;
  const property = declaration.slice(0, colon).trim().toLowerCase();
  const value = declaration.slice(colon + 1).trim();
  // An escape can spell anything: `u\72l(`. No mail needs one.
  if (!PROPERTY.test(property) || FORBIDDEN_PROPERTIES.test(property) || /[\\<>{}@]/.test(value)) return undefined;
  const lower = value.toLowerCase();
  if (FORBIDDEN_FUNCTIONS.test(lower) || lower.includes('javascript:')) return undefined;
  if (!isBalanced(value)) return undefined;
  // Text that the mail's own does not hold could stand on a link, and say another host.
  if (property === 'content' && !/^(?:""|''|none|normal)(?:\s*!important)?$/.test(lower)) return undefined;
  // The frame is as high as what it shows: what is as high as the frame would grow without end.
  if (/\d(?:[dsl]?v(?:h|b|min|max))\b/.test(lower)) return undefined;
  if (property === 'position' && !/^(?:static|relative)(?:\s*!important)?$/.test(lower)) return undefined;
  const shown = withUrls(value, rules);
  return shown === undefined ? undefined : `${property}: ${shown}`;
}

function withUrls(value: string, rules: CssRules): string | undefined {
  if (!/url\(/i.test(value)) return value;
  let refused = false;
  const rest = value.replace(new RegExp(URL_FUNCTION, 'gi'), '');
  const shown = value.replace(
    new RegExp(URL_FUNCTION, 'gi'),
    (_, double?: string, single?: string, bare?: string) => {
      const url = rules.url((double ?? single ?? bare ?? '').trim());
      if (url === undefined) refused = true;
      return url === undefined ? '' : `url("${url.replace(/["\\\n\r\f]/g, encodeURIComponent)}")`;
    },
  );
  return refused || /url\(/i.test(rest) ? undefined : shown;
}

/** Names, classes, ids, attributes and combinators; no escape and nothing that ends a `<style>`. */
function isSelector(prelude: string): boolean {
  return /^[\w\s.#,>+~*:()[\]="'^$|-]+$/.test(prelude) && prelude.length < 2000;
}

function isCondition(prelude: string): boolean {
  return /^@[\w\s(),:.<>=/%-]*$/.test(prelude) && !/url\(/i.test(prelude) && isBalanced(prelude);
}

/** Whether each string and bracket is closed: what is not would swallow what follows it. */
function isBalanced(text: string): boolean {
  const bare = text.replace(/"[^"\n]*"|'[^'\n]*'/g, '');
  const open: string[] = [];
  for (const sign of bare) {
    if (sign === '"' || sign === "'") return false;
    if (sign === '(' || sign === '[') open.push(sign);
    if (sign === ')' && open.pop() !== '(') return false;
    if (sign === ']' && open.pop() !== '[') return false;
  }
  return open.length === 0;
}

function withoutComments(css: string): string {
  return css.replace(/<!--|-->/g, ' ').replace(/\/\*[^]*?(?:\*\/|$)/g, ' ');
}

/** The index of the first of `ends` from `at` that stands in no string and no parenthesis; else the length. */
function endOf(css: string, at: number, ends: string): number {
  let quote = '';
  let open = 0;
  for (let index = at; index < css.length; index += 1) {
    const sign = css[index] as string;
    if (sign === '\\') {
      index += 1;
    } else if (quote !== '') {
      // A string ends with its line, closed or not.
      if (sign === quote || sign === '\n') quote = '';
    } else if (sign === '"' || sign === "'") {
      quote = sign;
    } else if (sign === '(') {
      open += 1;
    } else if (sign === ')') {
      open = Math.max(0, open - 1);
    } else if ((open === 0 || sign === '}') && ends.includes(sign)) {
      return index;
    }
  }
  return css.length;
}
