/** Files of mails: names that are safe to save under, sizes that people read, and how they are fetched. */

const LONGEST_NAME = 120;
/** Device names of Windows, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i;

/** A name without a path, without characters that hide or reverse its end, and not too long. */
export function safeName(name: string, mimeType = ''): string {
  const visible = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/\p{Zs}/gu, ' ')
    .replace(/[/\\:*?"<>|]/g, '_')
    .replace(/^[. ]+|[. ]+$/g, '');
  const named = visible === '' ? `attachment${extensionOf(mimeType)}` : visible;
  return shortened(DEVICE.test(named) ? `_${named}` : named);
}

const EXTENSIONS: Record<string, string> = {
  'application/pdf': '.pdf',
  'application/zip': '.zip',
  'image/gif': '.gif',
  'image/jpeg': '.jpg',
  'image/png': '.png',
  'message/rfc822': '.eml',
  'text/calendar': '.ics',
  'text/csv': '.csv',
  'text/html': '.html',
  'text/plain': '.txt',
};

function extensionOf(mimeType: string): string {
  return EXTENSIONS[mimeType.toLowerCase().split(';')[0]?.trim() ?? ''] ?? '';
}

/** The end, which says what it is, stays. */
function shortened(name: string): string {
  const signs = [...name];
  if (signs.length <= LONGEST_NAME) return name;
  const extension = /\.[^. ]{1,10}$/.exec(name)?.[0] ?? '';
  return signs.slice(0, LONGEST_NAME - extension.length).join('') + extension;
}

/** What opens as a program, or as a page that runs. People are told before they save it. */
const RUNS =
  /\.(?:exe|msi|msix|appx|bat|cmd|com|scr|pif|cpl|ps1|vbs?|vbe|jse?|wsf|wsh|hta|lnk|url|jar|app|dmg|pkg|deb|rpm|sh|command|desktop|iso|img|vhdx?|reg|chm|xll|docm|xlsm|pptm|html?|xhtml|svg|mht(?:ml)?|one)$/i;

export function mayRun(name: string): boolean {
  return RUNS.test(name);
}

export function sizeInWords(bytes: number | undefined): string {
  if (bytes === undefined) return 'size unknown';
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 999_500 ? [bytes / 1000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Pictures that are shown in a mail. An SVG is none of them: it is a document. */
const PICTURES: [string, number[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46]],
  ['image/bmp', [0x42, 0x4d]],
];

/** What the bytes are, whatever the sender called them; `undefined` if no picture. */
export function pictureType(bytes: Uint8Array): string | undefined {
  return PICTURES.find(([, magic]) => magic.every((byte, at) => bytes[at] === byte))?.[0];
}

/** Longer than any browser takes to begin with a download. */
const REVOKED_MS = 60_000;

/** Hands bytes, or what a URL answers, to the browser's downloads. */
export function save(what: Blob | string, name: string): void {
  const url = typeof what === 'string' ? what : URL.createObjectURL(what);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.rel = 'noopener noreferrer';
  document.body.append(link);
  link.click();
  link.remove();
  if (typeof what !== 'string') setTimeout(() => URL.revokeObjectURL(url), REVOKED_MS);
}

/** `data:image/png;base64,…`: gone from memory with the last who knows it. */
export function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('The file cannot be read. It may have been moved or changed.'));
    reader.readAsDataURL(blob);
  });
}
