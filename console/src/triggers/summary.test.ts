import type { Looked, Reason } from 'email-connectors-client';
import { describe, expect, it } from 'vitest';
import { inOneSentence, keptOut, seenOf } from './summary';

const looked = (id: string, at: string, ...reasons: Reason[]): Looked => ({
  message_id: id,
  timestamp: at,
  ...(reasons.length > 0 && { reasons }),
});
const filter = (name: 'query' | 'subject_contains' | 'label_include'): Reason => ({
  reason: 'filter',
  detail: { filter: name, wanted: null, saw: null },
});
const old: Reason = { reason: 'older_than_trigger', detail: { created_at: '' } };

const tried = {
  days: 7,
  looked_at: 5,
  truncated: true,
  unreadable: [],
  quota_units: 105,
  would_fire: [looked('a', '2026-01-01')],
  would_not: [
    looked('b', '2026-01-05', filter('query')),
    looked('c', '2026-01-03', filter('query'), filter('subject_contains')),
    looked('d', '2026-01-04', old),
    looked('e', '2026-01-02', old, filter('query')),
  ],
};

describe('a dry run', () => {
  const seen = seenOf(tried);

  it('shows the newest first, whether it fires or not', () => {
    expect(seen.map(({ message_id, verdict }) => `${message_id} ${verdict}`)).toEqual([
      'b not',
      'd would-match',
      'c not',
      'e not',
      'a fires',
    ]);
  });

  it('says which filter keeps most out, and which alone', () => {
    expect(keptOut(seen).map(({ filter, count, alone }) => [filter, count, alone])).toEqual([
      ['query', 3, 2],
      ['subject_contains', 1, 0],
    ]);
  });

  it('is one sentence', () => {
    expect(inOneSentence(tried, seen)).toBe(
      '1 of 5 messages would fire, and 1 more if it was new. There is more mail of those days.',
    );
    expect(inOneSentence({ ...tried, looked_at: 0 }, [])).toBe('There was no mail in the last 7 days.');
  });
});
