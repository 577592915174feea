/** Where on the form a problem of the API belongs. */

import { CHOICE_FILTERS, type FilterName, LIST_FILTERS, type ListFilter, type Written } from './filters';

/** A place of the form. A row is one of a list's. */
export type Place =
  { at: 'filter'; filter: FilterName; row?: number } | { at: 'filters' | 'agent_id' | 'connector' | 'type' | 'form' };

const FILTER = /^config\.filters\.([a-z_]+)(?:\[(\d+)\])?$/;

/** `field` is a path into the body, such as `config.filters.subject_contains[1]`. */
export function placeOf(field: string | undefined | null, rows: Written['rows']): Place {
  const [, name, entry] = FILTER.exec(field ?? '') ?? [];
  if (name !== undefined && isFilter(name)) {
    const row = entry === undefined || !isList(name) ? undefined : rows[name][Number(entry)];
    return row === undefined ? { at: 'filter', filter: name } : { at: 'filter', filter: name, row };
  }
  switch (field) {
    case 'agent_id':
      return { at: 'agent_id' };
    case 'config.connector_id':
      return { at: 'connector' };
    case 'type':
      return { at: 'type' };
    default:
      return field?.startsWith('config.filters') ? { at: 'filters' } : { at: 'form' };
  }
}

function isList(name: string): name is ListFilter {
  return (LIST_FILTERS as readonly string[]).includes(name);
}

function isFilter(name: string): name is FilterName {
  return name === 'query' || isList(name) || (CHOICE_FILTERS as readonly string[]).includes(name);
}
