import { describe, expect, it } from 'vitest';
import {
  CHOICE_FILTERS,
  emptyForm,
  type FilterForm,
  type Filters,
  fingerprint,
  LIST_FILTERS,
  toFilters,
  toForm,
} from './filters';

describe('a form becomes filters', () => {
  const table: [string, Partial<FilterForm>, Filters][] = [
    ['nothing is no filter', {}, {}],
    ['a blank query is absent', { query: '  ' }, {}],
    ['a query stays as it is typed', { query: ' two words ' }, { query: ' two words ' }],
    ['blank rows are left out', { subject_contains: ['', 'invoice', ' '] }, { subject_contains: ['invoice'] }],
    ['a list of blank rows is absent', { label_include: ['', ''] }, {}],
    ['yes', { has_attachment: 'yes' }, { has_attachment: true }],
    ['no is not the same as any', { automatic: 'no' }, { automatic: false }],
    ['any is absent', { authenticated: 'any' }, {}],
    [
      'all at once',
      {
        query: 'a',
        from_domain: ['a.example'],
        from_contains: ['b@'],
        to_contains: ['c@'],
        subject_contains: ['d', 'e'],
        label_include: ['INBOX'],
        label_exclude: ['Label_7'],
        has_attachment: 'no',
        authenticated: 'yes',
        automatic: 'no',
      },
      {
        query: 'a',
        from_domain: ['a.example'],
        from_contains: ['b@'],
        to_contains: ['c@'],
        subject_contains: ['d', 'e'],
        label_include: ['INBOX'],
        label_exclude: ['Label_7'],
        has_attachment: false,
        authenticated: true,
        automatic: false,
      },
    ],
  ];
  it.each(table)('%s', (_, form, expected) => {
    expect(toFilters({ ...emptyForm(), ...form }).filters).toEqual(expected);
  });

  it('knows which row an entry of a list was', () => {
    const { rows } = toFilters({ ...emptyForm(), subject_contains: ['', 'a', '', 'b'] });
    expect(rows.subject_contains).toEqual([1, 3]);
  });

  it('keeps filters that it does not know', () => {
    const stored = { query: 'a', size_over: 5, nested: { a: [1] } } as Filters;
    expect(toFilters(toForm(stored)).filters).toEqual(stored);
  });
});

describe('for any filters and any form', () => {
  const random = seeded(20260101);

  it('filters come back from the form as they were', () => {
    for (let run = 0; run < 300; run++) {
      const filters = anyFilters(random);
      expect(toFilters(toForm(filters)).filters).toEqual(filters);
    }
  });

  it('a form comes back from its filters without its blank rows', () => {
    for (let run = 0; run < 300; run++) {
      const form = anyForm(random);
      const back = toForm(toFilters(form).filters);
      expect(fingerprint(back)).toBe(fingerprint(form));
      for (const name of LIST_FILTERS) {
        expect(back[name]).toEqual(form[name].filter((text) => text.trim() !== ''));
      }
    }
  });

  it('every entry names a row that holds it', () => {
    for (let run = 0; run < 300; run++) {
      const form = anyForm(random);
      const { filters, rows } = toFilters(form);
      for (const name of LIST_FILTERS) {
        expect(rows[name].map((row) => form[name][row])).toEqual(filters[name] ?? []);
      }
    }
  });
});

type Random = () => number;

/** Mulberry32: the same forms in every run. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const TEXTS = ['a', ' a', 'Straße', 'a\u0301', 'x y', '\u202Ecod', '0', 'null', '[]', '💌', '"', '\\'];
const BLANK = ['', ' ', '\t', '\u00a0'];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

function some(random: Random, from: readonly string[]): string[] {
  return Array.from({ length: Math.floor(random() * 4) }, () => pick(random, from));
}

function anyFilters(random: Random): Filters {
  const filters: Filters = {};
  if (random() < 0.5) filters.query = pick(random, TEXTS);
  for (const name of LIST_FILTERS) {
    const list = some(random, TEXTS);
    if (list.length > 0) filters[name] = list;
  }
  for (const name of CHOICE_FILTERS) {
    if (random() < 0.6) filters[name] = random() < 0.5;
  }
  return filters;
}

function anyForm(random: Random): FilterForm {
  const form = emptyForm();
  form.query = pick(random, [...TEXTS, ...BLANK]);
  for (const name of LIST_FILTERS) form[name] = some(random, [...TEXTS, ...BLANK]);
  for (const name of CHOICE_FILTERS) form[name] = pick(random, ['any', 'yes', 'no'] as const);
  return form;
}
