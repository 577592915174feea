/** A trigger's filters: what the API stores, what the form holds, and how one becomes the other. */

import type { Filters } from 'email-connectors-client';

export type { Filters };

export const LIST_FILTERS = [
  'from_domain',
  'from_contains',
  'to_contains',
  'subject_contains',
  'label_include',
  'label_exclude',
] as const;
export const CHOICE_FILTERS = ['has_attachment', 'authenticated', 'automatic'] as const;

export type ListFilter = (typeof LIST_FILTERS)[number];
export type ChoiceFilter = (typeof CHOICE_FILTERS)[number];
export type FilterName = 'query' | ListFilter | ChoiceFilter;
/** A filter that is a yes or a no, or absent. */
export type Choice = 'any' | 'yes' | 'no';

export type FilterForm = { query: string } & Record<ListFilter, string[]> &
  Record<ChoiceFilter, Choice> & {
    /** Filters that a newer API has and this page does not know: they go back as they came. */
    others: Record<string, unknown>;
  };

/** What the API receives, and which row of the form each entry of a list was. */
export interface Written {
  filters: Filters;
  rows: Record<ListFilter, number[]>;
}

const KNOWN = new Set<string>(['query', ...LIST_FILTERS, ...CHOICE_FILTERS]);

export function emptyForm(): FilterForm {
  return toForm({});
}

export function toForm(filters: Filters): FilterForm {
  const lists = LIST_FILTERS.map((name) => [name, [...(filters[name] ?? [])]]);
  const choices = CHOICE_FILTERS.map((name) => [name, choiceOf(filters[name])]);
  const others = Object.entries(filters).filter(([name]) => !KNOWN.has(name));
  return {
    query: filters.query ?? '',
    ...Object.fromEntries(lists),
    ...Object.fromEntries(choices),
    others: Object.fromEntries(others),
  } as FilterForm;
}

/** Rows without text are no texts to look for: the API refuses them, and people leave them behind. */
export function toFilters(form: FilterForm): Written {
  const filters: Filters = { ...form.others };
  const rows = {} as Written['rows'];
  if (!isBlank(form.query)) filters.query = form.query;
  for (const name of LIST_FILTERS) {
    const written = form[name].map((text, row) => ({ text, row })).filter(({ text }) => !isBlank(text));
    rows[name] = written.map(({ row }) => row);
    if (written.length > 0) filters[name] = written.map(({ text }) => text);
  }
  for (const name of CHOICE_FILTERS) {
    if (form[name] !== 'any') filters[name] = form[name] === 'yes';
  }
  return { filters, rows };
}

/** Equal forms ask the API for the same dry run. */
export function fingerprint(form: FilterForm): string {
  return JSON.stringify(toFilters(form).filters);
}

function choiceOf(value: boolean | null | undefined): Choice {
  if (value === undefined || value === null) return 'any';
  return value ? 'yes' : 'no';
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
