// Connected mailboxes.

import { entriesOf, pagesOf } from '../pages.js';
import type { CallOptions, Query, Transport } from '../transport.js';
import type { ConnectorChange, FiltersToTry, FiltersTried } from '../types.js';

export const connectors = (api: Transport) => {
  const list = (query?: Query<'connectors_list'>, options?: CallOptions) =>
    api.call('connectors_list', { query }, options);
  const pages = (options?: CallOptions) =>
    pagesOf((page_token) => list({ ...(page_token && { page_token }) }, options));
  return {
    /** A page of them. */
    list,
    /** All, one after the other. */
    all: (options?: CallOptions) => entriesOf(pages(options), (page) => page.connectors),
    get: (id: string, options?: CallOptions) => api.call('connectors_get', { path: [id] }, options),
    /** What was seen of it last, what is wrong, and what to do. */
    health: (id: string, options?: CallOptions) => api.call('connectors_health', { path: [id] }, options),
    /** Pauses it or lets it go on, and names it. */
    update: (id: string, body: ConnectorChange, options?: CallOptions) =>
      api.call('connectors_change', { path: [id], body }, options),
    /** Which of the last days' mail filters would let pass that no trigger has yet. */
    rehearse: (id: string, { filters, ...range }: FiltersToTry, options?: CallOptions) => {
      const body = { ...range, config: { filters } };
      return api.call('connectors_rehearse', { path: [id], body }, options) as Promise<FiltersTried>;
    },
    /** Looks at the mailbox now. */
    sync: (id: string, options?: CallOptions) => api.call('connectors_sync', { path: [id] }, options),
    /** Disconnects it. What the receipt says is not done yet continues by itself. */
    remove: (id: string, options?: CallOptions) => api.call('connectors_delete', { path: [id] }, options),
  };
};
