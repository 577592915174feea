import { describe, expect, it } from 'vitest';
import { CHOICE_FILTERS, LIST_FILTERS, type Filters } from './filters';
import { placeOf } from './problems';
import { inWords, isOnlyOfAge, type Reason, reasonInWords } from './words';

const label = (id: string) => (id === 'Label_7' ? 'Invoices' : id);
const time = (iso: string) => iso.slice(0, 10);

describe('filters in words', () => {
  const table: [Filters, string[]][] = [
    [{}, []],
    [{ query: ' two  words ' }, ['From or subject has “two” and “words”']],
    [{ from_domain: ['a.example', 'b.example'] }, ["sender's domain is a.example or b.example"]],
    [{ subject_contains: ['a', 'b', 'c'] }, ['subject contains “a”, “b” or “c”']],
    [{ label_include: ['Label_7', 'INBOX'] }, ['has the label Invoices and INBOX']],
    [{ label_exclude: ['Label_9'] }, ['has no label Label_9']],
    [{ has_attachment: false, automatic: true }, ['without attachments', 'automatic only']],
    [{ size_over: 5 } as Filters, ['size_over: 5']],
  ];
  it.each(table)('%j', (filters, expected) => {
    expect(inWords(filters, label).map(({ text }) => text)).toEqual(expected);
  });
});

describe('reasons in words', () => {
  const filter = (filter: string, wanted: unknown, saw: unknown): Reason => ({
    reason: 'filter',
    detail: { filter, wanted, saw },
  });
  const table: [Reason, string, string][] = [
    [filter('subject_contains', ['invoice'], 'Hello'), '“invoice”', 'Hello'],
    [filter('subject_contains', ['invoice'], null), '“invoice”', 'no subject'],
    [
      filter('query', 'a b', { from: { name: 'Bo', address: 'bo@x.example' }, subject: 'S' }),
      '“a” and “b”',
      'From Bo <bo@x.example>; subject “S”',
    ],
    [filter('query', 'a', { from: null, subject: null }), '“a”', 'From nobody; subject none'],
    [filter('from_domain', ['a.example'], null), 'a.example', 'no readable domain'],
    [filter('from_contains', ['a@', 'b@'], 'c@x.example'), '“a@” or “b@”', 'c@x.example'],
    [filter('to_contains', ['a@'], []), '“a@”', 'nobody in To'],
    [filter('label_include', ['Label_7'], ['INBOX', 'Label_8']), 'Invoices', 'INBOX, Label_8'],
    [filter('label_exclude', ['INBOX'], ['INBOX']), 'none of INBOX', 'INBOX'],
    [filter('has_attachment', true, false), 'with attachments', 'without attachments'],
    [filter('authenticated', true, { spf: 'pass', dmarc: 'fail' }), 'authenticated', 'SPF pass, DMARC fail'],
    [filter('authenticated', true, null), 'authenticated', 'the provider said nothing'],
    [filter('automatic', false, { kind: 'list', list_id: 'l.example' }), 'not automatic', 'list (l.example)'],
    [filter('size_over', 5, 3), '5', '3'],
    [
      { reason: 'older_than_trigger', detail: { created_at: '2026-01-01T10:00:00.000Z' } },
      'mail from after the trigger was made (2026-01-01)',
      'older mail',
    ],
    [
      { reason: 'paused', detail: { from: '2026-01-01T10:00:00.000Z', until: null } },
      "mail from outside the connector's pauses",
      'paused from 2026-01-01 until now',
    ],
    [
      { reason: 'not_received', detail: { label_ids: ['SENT'] } },
      'received mail: no drafts, sent mail, spam or trash',
      'SENT',
    ],
    [{ reason: 'a_later_one', detail: { a: 1 } }, '—', '{"a":1}'],
  ];
  it.each(table)('%j', (reason, wanted, saw) => {
    expect(reasonInWords(reason, label, time)).toMatchObject({ wanted, saw });
  });

  it('every filter has words of its own', () => {
    for (const name of ['query', ...LIST_FILTERS, ...CHOICE_FILTERS]) {
      expect(reasonInWords(filter(name, ['a'], ['b']), label, time).rule).not.toBe(name);
    }
  });

  it('tells mail that is only too old from mail that does not match', () => {
    expect(isOnlyOfAge([{ reason: 'older_than_trigger' }])).toBe(true);
    expect(isOnlyOfAge([{ reason: 'older_than_trigger' }, { reason: 'filter' }])).toBe(false);
    expect(isOnlyOfAge([])).toBe(false);
  });
});

describe("a problem's place on the form", () => {
  const rows = {
    from_domain: [],
    from_contains: [],
    to_contains: [],
    subject_contains: [1, 3],
    label_include: [],
    label_exclude: [],
  };
  const table: [string | undefined, object][] = [
    ['config.filters.query', { at: 'filter', filter: 'query' }],
    ['config.filters.subject_contains[1]', { at: 'filter', filter: 'subject_contains', row: 3 }],
    ['config.filters.subject_contains[9]', { at: 'filter', filter: 'subject_contains' }],
    ['config.filters.subject_contains', { at: 'filter', filter: 'subject_contains' }],
    ['config.filters.authenticated', { at: 'filter', filter: 'authenticated' }],
    ['config.filters.unheard_of', { at: 'filters' }],
    ['config.filters', { at: 'filters' }],
    ['config.connector_id', { at: 'connector' }],
    ['agent_id', { at: 'agent_id' }],
    ['type', { at: 'type' }],
    ['body', { at: 'form' }],
    [undefined, { at: 'form' }],
  ];
  it.each(table)('%s', (field, expected) => {
    expect(placeOf(field, rows)).toEqual(expected);
  });
});
