// Who the user is, what the system is, and how a mailbox is connected.

import { ApiProblem } from '../problem.js';
import { entriesOf, pagesOf } from '../pages.js';
import { type CallOptions, type Query, type Transport, read } from '../transport.js';
import type { Connect, NewConnectSession, OfferedProvider, SystemHealth } from '../types.js';

/** What of a provider the calls need; `system.info()` lists them all. */
export type ConsentRoutes = Pick<OfferedProvider, 'start' | 'connect'>;
export type OrganizationRoute = Pick<OfferedProvider, 'admin_consent'>;

export const account = (api: Transport) => ({
  /** Who the user is, and what the user may do. */
  me: (options?: CallOptions) => api.call('me', {}, options),

  owner: {
    /** A page of all that is kept of the owner. */
    export: (query?: Query<'owner_export'>, options?: CallOptions) => api.call('owner_export', { query }, options),
    /** All events that are kept of the owner. */
    records: (options?: CallOptions) => {
      const page = (page_token: string | undefined) => api.call('owner_export', { query: { page_token } }, options);
      return entriesOf(pagesOf(page), ({ records }) => records);
    },
    /** Deletes all that is kept of the owner. */
    erase: (options?: CallOptions) => api.call('owner_erase', {}, options),
  },
});

export const system = (api: Transport) => ({
  /** Name, version and the providers that can be connected; without a token. */
  info: (options?: CallOptions) => api.call('system_info', {}, options),

  /** How the system is, without a token. `down` is an answer too, although its status is 503. */
  async health(options: CallOptions = {}): Promise<SystemHealth> {
    const answer = await api.raw('system_health', { also: 503 }, options);
    const body = await read(answer, () => answer.json(), options);
    if (!Array.isArray(body.checks)) throw new ApiProblem(body, answer);
    return body;
  },
});

/** Connecting a mailbox: the provider's page is shown to the user, and its code is sent. */
export const consent = (api: Transport) => ({
  /** Where to send the user's browser. */
  start: (provider: ConsentRoutes, query?: Query<'connect_start'>, options?: CallOptions) =>
    api.call('connect_start', { query, route: provider.start }, options),

  /** Where to send an administrator, who consents for all users of an organization: of providers with `admin_consent`. */
  forOrganization: ({ admin_consent }: OrganizationRoute, query?: Query<'connect_outlook_admin_consent'>, options?: CallOptions) =>
    api.call('connect_outlook_admin_consent', { query, route: admin_consent ?? undefined }, options),

  /** Connects with the code that came back. A code is good once, unless the answer is 503. */
  finish: (provider: ConsentRoutes, body: Connect, options?: CallOptions) => {
    const headers = { 'x-requested-with': 'XMLHttpRequest' };
    return api.call('connect', { body, headers, route: provider.connect }, options);
  },
});

/** Sessions of the page on which a product's users connect their mailboxes. */
export const connectSessions = (api: Transport) => ({
  /** Makes one; asked for by a backend, in the user's name. */
  open: (body: NewConnectSession, options?: CallOptions) => api.call('connect_sessions_open', { body }, options),

  /** What the session is for; its token is the client's. */
  current: (options?: CallOptions) => api.call('connect_sessions_current', {}, options),
});
