import { describe, expect, it } from 'vitest';
import { hostsOf, linkOf } from './links';

describe('a link', () => {
  const table: [string, string, string, string | undefined, boolean?][] = [
    ['that says where it leads', 'https://a.example/x?y', 'https://a.example/x', 'a.example', false],
    ['with words', 'https://a.example/', 'Read more', 'a.example', false],
    ['to a subdomain of what it says', 'https://mail.a.example/', 'a.example', 'mail.a.example', false],
    ['with www in its text', 'https://a.example/', 'www.a.example', 'a.example', false],
    ['to another host', 'https://evil.example/', 'https://bank.example/', 'evil.example', true],
    [
      'to a host that begins like it',
      'https://bank.example.evil.test/',
      'bank.example',
      'bank.example.evil.test',
      true,
    ],
    ['to the parent of what it says', 'https://a.example/', 'login.a.example', 'a.example', true],
    ['with a name before the host', 'https://bank.example@evil.example/', 'Log in', 'evil.example', true],
    ['to letters beyond ASCII', 'https://pаypal.example/', 'Log in', 'xn--pypal-4ve.example', true],
    ['to a port', 'https://a.example:8443/', 'a.example', 'a.example:8443', false],
    ['whose text runs backwards', 'https://a.example/', '\u202ea.example', 'a.example', true],
    ['whose text hides a letter', 'https://evil.example/', 'bank\u200b.example', 'evil.example', true],
    ['with a wide dot', 'https://evil.example/', 'bank。example', 'evil.example', true],
    ['to an address in numbers', 'https://127.0.0.1/', 'bank.example', '127.0.0.1', true],
    ['that names a file', 'https://a.example/', 'report.pdf', 'a.example', false],
    ['that names an address', 'https://a.example/', 'write to bo@b.example', 'a.example', true],
    ['to mail', 'mailto:bo@a.example?subject=x', 'Write to us', 'bo@a.example', false],
    ['to another mailbox than it says', 'mailto:evil@b.example', 'bo@a.example', 'evil@b.example', true],
    ['of a kind that is not opened', 'javascript:alert(1)', 'x', undefined],
    ['with a scheme in capitals and tabs', 'JaVa\tScript:alert(1)', 'x', undefined],
    ['without a host', '/login', 'x', undefined],
    ['of a file', 'file:///etc/passwd', 'x', undefined],
    ['that is nothing', '', 'x', undefined],
  ];
  it.each(table)('%s', (_, href, text, target, lies) => {
    const link = linkOf(href, text);
    expect(link?.target).toBe(target);
    if (link) expect(link.lies).toBe(lies);
  });

  it('finds the hosts of a text', () => {
    expect(hostsOf('See shop.example, http://b.example/x.html or ПРИМЕР.example; not 1.50 or e.g. this')).toEqual([
      'shop.example',
      'b.example',
      'xn--e1afmkfd.example',
    ]);
  });
});
