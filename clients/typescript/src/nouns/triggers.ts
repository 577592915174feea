// What an owner wants to hear of, and what fired.

import { entriesOf, pagesOf } from '../pages.js';
import { sign } from '../signature.js';
import type { CallOptions, Query, Transport, WriteOptions } from '../transport.js';
import type { FiringPage, NewTrigger, Rehearsal, RehearsalRange, TriggerChange } from '../types.js';

export const triggers = (api: Transport) => {
  const list = (query?: Query<'triggers_list'>, options?: CallOptions) =>
    api.call('triggers_list', { query }, options);
  const pages = (options?: CallOptions) =>
    pagesOf((page_token) => list({ ...(page_token && { page_token }) }, options));
  return {
    /** A page of them. */
    list,
    /** All, one after the other. */
    all: (options?: CallOptions) => entriesOf(pages(options), (page) => page.triggers),
    get: (id: string, options?: CallOptions) => api.call('triggers_get', { path: [id] }, options),
    /** Makes one; of type `webhook` its `secret` is answered this once. */
    create: (body: NewTrigger, options?: CallOptions) => api.call('triggers_create', { body }, options),
    /** Replaces its filters, or sets its agent. */
    update: (id: string, body: TriggerChange, options?: CallOptions) =>
      api.call('triggers_change', { path: [id], body }, options),
    remove: (id: string, options?: CallOptions) => api.call('triggers_delete', { path: [id] }, options),
    /** Which mail of the last days would fire it, and why the rest would not. Nothing fires. */
    test: (id: string, range: RehearsalRange = {}, options?: CallOptions) =>
      api.call('triggers_test', { path: [id], body: range }, options) as Promise<Rehearsal>,
    /** Another secret for a `webhook` trigger; the one before counts for a day beside it. */
    rotateSecret: (id: string, options?: CallOptions) => api.call('triggers_rotate_secret', { path: [id] }, options),
    /** Fires a `webhook` trigger with the user's token. */
    fire: (id: string, payload: Record<string, unknown>, { idempotencyKey, ...options }: WriteOptions = {}) =>
      api.call(
        'triggers_fire',
        { path: [id], body: payload, headers: { 'idempotency-key': idempotencyKey } },
        options,
      ),
    /** Fires a `webhook` trigger with its secret. */
    fireSigned: async (id: string, secret: string, payload: Record<string, unknown>, options?: CallOptions) => {
      const signature = await sign(secret, JSON.stringify(payload));
      return api.call('triggers_fire', { path: [id], body: payload, headers: { 'x-signature': signature } }, options);
    },
  };
};

export const firings = (api: Transport) => {
  const list = (triggerId: string, query?: Query<'triggers_firings'>, options?: CallOptions) =>
    api.call('triggers_firings', { path: [triggerId], query }, options) as Promise<FiringPage>;
  const pages = (triggerId: string, options?: CallOptions) =>
    pagesOf((page_token) => list(triggerId, { ...(page_token && { page_token }) }, options));
  return {
    /** A page of what a trigger fired in the last thirty days, newest first. */
    list,
    /** All of it, newest first. */
    all: (triggerId: string, options?: CallOptions) => entriesOf(pages(triggerId, options), (page) => page.firings),
  };
};
