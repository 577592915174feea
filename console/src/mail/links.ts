/** Where a link of a mail leads, and whether its text says something else. */

export type Link = {
  /** What is opened, as the browser writes it: hosts in their ASCII form. */
  href: string;
  /** The host, or the address of a `mailto:`. */
  target: string;
  /** The text that stands on it, cut. */
  text: string;
  /** Whether the text names another host, the host has letters beyond ASCII, or the URL hides it behind a name. */
  lies: boolean;
};

const OPENED = new Set(['http:', 'https:', 'mailto:']);
const LONGEST_TEXT = 200;
/** What looks like a host in a text: labels with a dot, the last one without digits. Fullwidth and other dots count. */
const HOST =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?[.。．｡])+(?:xn--[a-z0-9-]+|\p{L}[\p{L}\p{M}]+)/giu;
/** Files that people name in texts, and that are no hosts. */
const FILE = /\.(?:pdf|docx?|xlsx?|pptx?|txt|csv|zip|png|jpe?g|gif|html?|js|md)$/i;

/** `undefined` for what is not opened: no URL, a relative one, `javascript:`, `data:` and the like. */
export function linkOf(href: string, text: string): Link | undefined {
  const url = parsed(href);
  if (url === undefined || !OPENED.has(url.protocol)) return undefined;
  // A text that turns its own direction shows something else than it holds.
  const turned = /[\u202a-\u202e\u2066-\u2069]/.test(text);
  const shown = text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TEXT);
  if (url.protocol === 'mailto:') {
    const address = decoded(url.pathname);
    const named = /[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+/.exec(shown)?.[0];
    return {
      href: url.href,
      target: address,
      text: shown,
      lies: turned || (named !== undefined && !same(named, address)),
    };
  }
  const { hostname } = url;
  const hides = url.username !== '' || url.password !== '';
  const puny = hostname.split('.').some((label) => label.startsWith('xn--'));
  const named = hostsOf(shown);
  const lies = turned || hides || puny || named.some((host) => !isSameSite(host, hostname));
  return { href: url.href, target: url.host, text: shown, lies };
}

/** The Content-ID that a `cid:` URL, a header or the API means. */
export function contentId(text: string): string {
  const bare = text.trim().replace(/^<|>$/g, '');
  try {
    return decodeURIComponent(bare).toLowerCase();
  } catch {
    return bare.toLowerCase();
  }
}

/** The hosts that a text names, in their ASCII form. */
export function hostsOf(text: string): string[] {
  const visible = text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  const found = visible.matchAll(HOST);
  const hosts: string[] = [];
  for (const match of found) {
    // What stands before an @ is somebody's name, and what ends like a file is one.
    const next = visible[match.index + match[0].length];
    if (next === '@' || (FILE.test(match[0]) && !/:\/\/$/.test(visible.slice(0, match.index)))) continue;
    const host = parsed(`https://${match[0]}/`)?.hostname;
    if (host !== undefined) hosts.push(host);
  }
  return hosts;
}

/** `www.` is nobody else; a text may leave a subdomain out, but not name another one. */
function isSameSite(named: string, real: string): boolean {
  const bare = named.replace(/^www\./, '');
  return real === bare || real.endsWith(`.${bare}`);
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function parsed(href: string): URL | undefined {
  try {
    return new URL(href.trim());
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
