import type { Message } from 'email-connectors-client';
import { describe, expect, it } from 'vitest';
import { answersElsewhere, automaticInWords, senderVerdict } from './verdict';

const mail = (more: Partial<Message>): Message => ({
  id: 'm',
  thread_id: 't',
  from: { address: 'bo@shop.example' },
  to: [],
  cc: [],
  reply_to: [],
  timestamp: '',
  snippet: '',
  label_ids: [],
  has_attachments: false,
  headers: {},
  metadata: { size_estimate: 0 },
  ...more,
});

describe('a sender', () => {
  const table: [NonNullable<Message['authentication']> | null, string][] = [
    [{ dmarc: 'pass', spf: 'pass', dkim: 'pass' }, 'authenticated'],
    [{ dmarc: 'fail', spf: 'pass' }, 'may be forged'],
    [{ spf: 'pass', dkim: 'pass' }, 'not authenticated'],
    [{ dmarc: 'none' }, 'not authenticated'],
    [null, 'not authenticated'],
  ];
  it.each(table)('%j', (authentication, word) => expect(senderVerdict(mail({ authentication }))?.word).toBe(word));

  it('of own mail is not judged', () => expect(senderVerdict(mail({ label_ids: ['SENT'] }))).toBeUndefined());
});

it('says what kind of machine wrote it', () => {
  expect(automaticInWords(mail({ automatic: { kind: 'list', list_id: 'l.example' } }))).toContain(
    'mailing list (l.example)',
  );
  expect(automaticInWords(mail({}))).toBeUndefined();
});

it('says when answers go elsewhere', () => {
  expect(answersElsewhere(mail({ reply_to: [{ address: 'help@SHOP.example' }] }))).toBe(false);
  expect(answersElsewhere(mail({ reply_to: [{ address: 'bo@shop.example.evil.test' }] }))).toBe(true);
  expect(answersElsewhere(mail({}))).toBe(false);
});
