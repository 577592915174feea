/**
 * A mail's HTML, reduced to text, tables and pictures. The result is a tree of nodes that is never written as HTML again,
 * so no second parser can read it otherwise (mutation XSS). The frame that shows it runs no script in any case.
 */

import DOMPurify, { type WindowLike } from 'dompurify';
import { cleanDeclarations, cleanSheet, type CssRules } from './css';
import { contentId, type Link, linkOf } from './links';

export type Shown = {
  /** The mail's body. Belongs to an inert document until it is adopted. */
  body: HTMLElement;
  /** All of its style sheets. */
  sheet: string;
  /** In the order of the mail. */
  links: Link[];
  /** How much was not loaded from the network, or would be: pictures, backgrounds. */
  remote: number;
};

export type Showing = {
  /** Whether pictures may come from the network. */
  pictures: boolean;
  /** Where a picture that came with the mail is, by its Content-ID. */
  embedded: ReadonlyMap<string, string>;
};

const TAGS = (
  'a abbr acronym address article aside b big blockquote br caption center cite code col colgroup dd del details dfn dir div ' +
  'dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt ruby s ' +
  'samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'
).split(' ');
const ATTRIBUTES = (
  'abbr align alt background bgcolor border cellpadding cellspacing class color colspan dir face headers height href hspace id ' +
  'lang nowrap reversed rowspan scope size span src start style title type valign value vspace width'
).split(' ');
/** Left out with all that is in them; of all else that is not allowed, the text stays. */
const WITH_CONTENT = (
  'applet audio canvas embed frame frameset head iframe math noembed noframes noscript object plaintext script select style svg ' +
  'template title video xmp'
).split(' ');
const RASTER = /^data:image\/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]*$/i;
const MARK =
  'all: initial !important; display: inline !important; margin: 0 0.3em !important; padding: 0 0.3em !important; ' +
  'border: 1px solid #b3261e !important; border-radius: 3px !important; background: #fff !important; color: #b3261e !important; ' +
  'font: 600 12px/1.4 system-ui, sans-serif !important; direction: ltr !important; unicode-bidi: isolate !important;';

/** `view` is the window whose policy the HTML is parsed under: the frame's, since this page's forbids inline styles. */
export function shownMail(html: string, { pictures, embedded }: Showing, view: Window = window): Shown {
  let remote = 0;
  /** Where a picture is loaded from; `undefined` shows none. */
  const picture = (source: string): string | undefined => {
    const url = source.trim();
    if (/^cid:/i.test(url)) return embedded.get(contentId(url.slice(4)));
    if (RASTER.test(url)) return url;
    if (!/^(?:https?:)?\/\//i.test(url)) return undefined;
    remote += 1;
    return pictures ? url.replace(/^(?:https?:)?\/\//i, 'https://') : undefined;
  };
  const css: CssRules = { url: picture };

  const sheets: string[] = [];
  const root = parsed(html, sheets, view);
  const sheet = sheets.map((text) => cleanSheet(text, css)).join('\n');
  const document = root.ownerDocument;
  // A frameset leaves no body.
  const body = root.querySelector('body') ?? document.createElement('body');
  const shown = document.createElement('div');
  shown.append(...body.childNodes);
  dress(shown, body);

  for (const element of [shown, ...shown.querySelectorAll<HTMLElement>('*')]) {
    setOrRemove(element, 'style', cleanDeclarations(element.getAttribute('style') ?? '', css));
    const background = element.getAttribute('background');
    if (background !== null) setOrRemove(element, 'background', picture(background));
    const source = element.getAttribute('src');
    if (source !== null) setOrRemove(element, 'src', element.localName === 'img' ? picture(source) : undefined);
    if (element.localName !== 'a') element.removeAttribute('href');
  }
  const links = [...shown.querySelectorAll<HTMLElement>('a[href]')].flatMap((anchor) => opened(anchor));
  return { body: shown, sheet, links, remote };
}

function parsed(html: string, sheets: string[], view: Window): HTMLElement {
  const purify = DOMPurify(view as Window & typeof globalThis as WindowLike);
  // It would answer what it was given.
  if (!purify.isSupported) throw new Error('This browser cannot make the message harmless. Show it as plain text.');
  purify.addHook('uponSanitizeElement', (node, { tagName }) => {
    if (tagName === 'style' && node.parentNode !== null) sheets.push(node.textContent ?? '');
  });
  return purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    // Of the schemes, these; what has none is no URL, such as a width. Where pictures and links lead is decided below.
    ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|cid|data):|[^a-z]|[a-z+.-]+(?:[^a-z+.:-]|$))/i,
    FORBID_CONTENTS: WITH_CONTENT,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    WHOLE_DOCUMENT: true,
    RETURN_DOM: true,
  }) as HTMLElement;
}

/** What the mail's `<body>` says of colours and direction. */
function dress(shown: HTMLElement, body: Element): void {
  const color = (name: string) => /^#?[a-z0-9]{1,20}$/i.exec(body.getAttribute(name)?.trim() ?? '')?.[0];
  const background = color('bgcolor');
  const own = body.getAttribute('style') ?? '';
  shown.setAttribute('style', background === undefined ? own : `background-color: ${background}; ${own}`);
  for (const name of ['dir', 'lang', 'class', 'background']) {
    const value = body.getAttribute(name);
    if (value !== null) shown.setAttribute(name, value);
  }
}

/** A link opens a page of its own that knows nothing of this one, and shows where it leads if its text says otherwise. */
function opened(anchor: HTMLElement): Link[] {
  const alternatives = [...anchor.querySelectorAll('img[alt]')].map((image) => image.getAttribute('alt') ?? '');
  const text = [anchor.textContent ?? '', ...alternatives].join(' ');
  const link = linkOf(anchor.getAttribute('href') ?? '', text);
  anchor.removeAttribute('href');
  anchor.removeAttribute('title');
  if (link === undefined) return [];
  anchor.setAttribute('href', link.href);
  anchor.setAttribute('title', link.target);
  anchor.setAttribute('target', '_blank');
  anchor.setAttribute('rel', 'noopener noreferrer nofollow');
  anchor.setAttribute('referrerpolicy', 'no-referrer');
  if (link.lies) {
    const mark = anchor.ownerDocument.createElement('span');
    mark.setAttribute('style', MARK);
    mark.textContent = link.target;
    anchor.after(mark);
  }
  return [link];
}

function setOrRemove(element: Element, name: string, value: string | undefined): void {
  if (value === undefined || value === '') element.removeAttribute(name);
  else element.setAttribute(name, value);
}
