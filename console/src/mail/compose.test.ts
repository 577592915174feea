import type { Message } from 'email-connectors-client';
import { describe, expect, it } from 'vitest';
import { BLANK, changeOf, fieldOf, letterAbout, outgoingOf, recipientsIn, written } from './compose';

const mail = (more: Partial<Message> = {}): Message => ({
  id: 'm1',
  thread_id: 't1',
  subject: 'The invoice',
  from: { name: 'Bo', address: 'bo@shop.example' },
  to: [{ address: 'ada@example.com' }, { name: 'Cy', address: 'cy@example.com' }],
  cc: [{ address: 'dee@example.com' }, { address: 'BO@shop.example' }],
  reply_to: [],
  timestamp: '2026-01-01T09:30:00.000Z',
  snippet: '',
  body: { text: 'One\r\n> two\r\n' },
  label_ids: ['INBOX'],
  has_attachments: false,
  headers: {},
  metadata: { size_estimate: 0 },
  ...more,
});
const time = () => 'Thursday';

describe('the people of a field', () => {
  const table: [string, unknown[], boolean?][] = [
    ['', []],
    ['a@x.example', ['a@x.example']],
    [
      'a@x.example, b@x.example; c@x.example\nd@x.example',
      ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'],
    ],
    ['Bo <bo@x.example>', [{ name: 'Bo', address: 'bo@x.example' }]],
    ['"Last, First" <a@x.example>', [{ name: 'Last, First', address: 'a@x.example' }]],
    ['"A \\"B\\" C" <a@x.example>', [{ name: 'A "B" C', address: 'a@x.example' }]],
    ['<a@x.example>', ['a@x.example']],
    ['"a b"@x.example', ['"a b"@x.example']],
    ['bücher@bücher.example', ['bücher@bücher.example']],
    ['Bo', [], true],
    ['a@x.example, Bo <>', ['a@x.example'], true],
    ['a b@x.example', [], true],
    ['a@b@x.example', [], true],
    ['Bo <bo@x.example> <evil@x.example>', [], true],
  ];
  it.each(table)('%j', (text, expected, isFaulty = false) => {
    const { recipients, fault } = recipientsIn(text);
    expect(recipients).toEqual(expected);
    expect(fault !== undefined).toBe(isFaulty);
  });

  it('are read back as they were written', () => {
    const people = [
      { name: 'Bo', address: 'bo@x.example' },
      { address: 'a@x.example' },
      { name: 'Last, "F" <x@y.example>', address: 'b@x.example' },
      { name: 'Zoë \\ co', address: 'c@x.example' },
    ];
    expect(recipientsIn(written(people)).recipients).toEqual(
      people.map((one) => ('name' in one ? one : one.address)),
    );
  });
});

describe('a reply', () => {
  it('goes to the sender', () => {
    const letter = letterAbout({ how: 'reply', message: mail() }, 'ada@example.com', time);
    expect(letter).toMatchObject({ to: 'Bo <bo@shop.example>', cc: '', subject: 'Re: The invoice' });
    expect(letter.text).toBe('\n\nOn Thursday, Bo <bo@shop.example> wrote:\n> One\n>> two\n');
  });

  it('goes where its sender wants answers', () => {
    const message = mail({ reply_to: [{ address: 'desk@shop.example' }], subject: 'RE: The invoice' });
    const letter = letterAbout({ how: 'reply', message }, 'ada@example.com', time);
    expect(letter).toMatchObject({ to: 'desk@shop.example', subject: 'RE: The invoice' });
  });

  it('to all reaches each once, and not the mailbox itself', () => {
    const letter = letterAbout({ how: 'reply-all', message: mail() }, 'Ada@example.com', time);
    expect(letter.cc).toBe('Cy <cy@example.com>, dee@example.com');
  });

  it('to own mail goes to whom that went', () => {
    const letter = letterAbout({ how: 'reply-all', message: mail({ label_ids: ['SENT'] }) }, 'bo@shop.example', time);
    expect(letter).toMatchObject({ to: 'ada@example.com, Cy <cy@example.com>', cc: 'dee@example.com' });
  });

  it('names what it answers, and nobody whom it does not show', () => {
    const about = { how: 'reply-all' as const, message: mail() };
    const outgoing = outgoingOf({ ...BLANK, to: 'a@x.example', text: 'x', subject: 'Re: s' }, about, []);
    expect(outgoing).toEqual({
      to: ['a@x.example'],
      cc: [],
      bcc: [],
      subject: 'Re: s',
      text: 'x',
      attachments: [],
      reply_to_message_id: 'm1',
    });
  });
});

it('a forward takes the original along', () => {
  const about = { how: 'forward' as const, message: mail() };
  const letter = letterAbout(about, 'ada@example.com', time);
  expect(letter).toMatchObject({ to: '', text: '', subject: 'Fwd: The invoice' });
  const sent = outgoingOf({ ...letter, to: 'a@x.example', forwardAs: 'attachment', fromName: 'Ada' }, about, []);
  expect(sent).toMatchObject({ forward_message_id: 'm1', forward_as: 'attachment', from: { name: 'Ada' } });
});

it('a letter with a field that cannot be read is not sent', () => {
  expect(outgoingOf({ ...BLANK, to: 'nobody' }, undefined, [])).toBeUndefined();
});

describe('a draft', () => {
  const before = { ...BLANK, to: 'a@x.example', text: 'old', subject: 's' };
  it('is changed in nothing but what was changed', () => {
    expect(changeOf(before, before, true)).toEqual({});
    expect(changeOf({ ...before, subject: 't' }, before, true)).toEqual({ subject: 't' });
    expect(changeOf({ ...before, to: '' }, before, false)).toEqual({ to: [] });
  });
  it('loses its HTML with its text, or readers would see the old one', () => {
    expect(changeOf({ ...before, text: 'new' }, before, true)).toEqual({ text: 'new', html: '' });
    expect(changeOf({ ...before, text: 'new' }, before, false)).toEqual({ text: 'new' });
  });
});

it('a problem stands at its field', () => {
  expect(
    [
      'to[1]',
      'cc',
      'from.address',
      'from',
      'from.name',
      'attachments[2].upload_id',
      'subject',
      'body',
      undefined,
    ].map(fieldOf),
  ).toEqual([
    { field: 'to' },
    { field: 'cc' },
    { field: 'fromAddress' },
    { field: 'fromAddress' },
    { field: 'fromName' },
    { field: 'attachments', row: 2 },
    { field: 'subject' },
    undefined,
    undefined,
  ]);
});
