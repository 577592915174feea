import { describe, expect, it } from 'vitest';
import { mayRun, pictureType, safeName, sizeInWords } from './files';
import { asciiDomain, looksLatin, mixedScripts, namesAnother, pieces } from '../ui/stranger-text';

const named = (line: string) =>
  pieces(line)
    .map((piece) => ('text' in piece ? piece.text : `[${piece.invisible}]`))
    .join('');

describe('a line of a stranger', () => {
  const table: [string, string][] = [
    ['Your invoice', 'Your invoice'],
    ['invoice\u202efdp.exe', 'invoice[right-to-left override]fdp.exe'],
    ['pay\u200bpal', 'pay[zero width space]pal'],
    ['a\u00adb', 'a[soft hyphen]b'],
    ['a\u{e0041}b', 'a[U+E0041]b'],
    ['a\u0007b', 'a[U+0007]b'],
    ['👩\u200d💻 wrote', '👩\u200d💻 wrote'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['a\u200db', 'a[zero width joiner]b'],
    ['שלום', 'שלום'],
    ['', ''],
  ];
  it.each(table)('%j', (line, expected) => expect(named(line)).toBe(expected));

  it('that mixes scripts is named', () => {
    expect(mixedScripts('Your pаypal account')).toContain('Latin and Cyrillic');
    expect(mixedScripts('Привет world')).toBeUndefined();
  });

  it('an address says its domain as machines read it, where that differs', () => {
    expect(asciiDomain('bo@shop.example')).toBeUndefined();
    expect(asciiDomain('bo@bücher.example')).toBe('xn--bcher-kva.example');
    expect(asciiDomain('bo@xn--bcher-kva.example')).toBe('xn--bcher-kva.example');
    expect(asciiDomain('nobody')).toBeUndefined();
    expect(looksLatin('сосо.example')).toBe(true);
    expect(looksLatin('пример.example')).toBe(false);
  });
});

it('a name that is another address is known', () => {
  const from = (name: string | null, address: string) => namesAnother({ name, address });
  expect(from('ada@example.com', 'eve@evil.example')).toBe(true);
  expect(from('Ada (ada＠example.com)', 'eve@evil.example')).toBe(true);
  expect(from('ADA@example.com', 'ada@example.com')).toBe(false);
  expect(from('Ada', 'ada@example.com')).toBe(false);
  expect(from(null, 'ada@example.com')).toBe(false);
});

describe('a file', () => {
  const table: [string, string][] = [
    ['may.pdf', 'may.pdf'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['C:\\Windows\\a.exe', 'C__Windows_a.exe'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a\r\nSet-Cookie: x', 'aSet-Cookie_ x'],
    ['.htaccess', 'htaccess'],
    ['CON.txt', '_CON.txt'],
    ['trailing. . ', 'trailing'],
    ['', 'attachment.pdf'],
    ['\u200b', 'attachment.pdf'],
    ['naïve 文書.pdf', 'naïve 文書.pdf'],
  ];
  it.each(table)('%j is saved as %j', (name, expected) => expect(safeName(name, 'application/pdf')).toBe(expected));

  it('with a long name keeps its end', () => {
    const name = safeName(`${'a'.repeat(300)}.tar.gz`);
    expect(name).toHaveLength(120);
    expect(name.endsWith('.gz')).toBe(true);
  });

  it('that may run is known by its end', () => {
    expect(['a.exe', 'a.pdf.js', 'a.HTML', 'a.svg', 'a.docm', 'a.pdf', 'a.txt', 'a.png'].map(mayRun)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('is as large as people say', () => {
    expect([undefined, 0, 999, 1000, 1500, 48_213, 999_499, 999_500, 25_165_824].map(sizeInWords)).toEqual([
      'size unknown',
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '1.5 kB',
      '48 kB',
      '999 kB',
      '1.0 MB',
      '25 MB',
    ]);
  });

  it('is a picture by its bytes', () => {
    expect(pictureType(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1]))).toBe('image/png');
    expect(pictureType(new TextEncoder().encode('<svg xmlns='))).toBeUndefined();
  });
});
