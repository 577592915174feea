// The mail of a connector: each call names the connector first.

import { entriesOf, pagesOf } from '../pages.js';
import { ApiProblem } from '../problem.js';
import { type CallOptions, type Query, type Transport, type WriteOptions, read } from '../transport.js';
import type {
  DraftChange,
  DraftIn,
  Format,
  LabelChange,
  LabelSpec,
  MessageIn,
  MessagePage,
  Outgoing,
  ThreadIn,
} from '../types.js';

type Searched<K extends 'messages_list' | 'threads_list' | 'drafts_list'> = Omit<Query<K>, 'label_ids'> & {
  /** All of which must be there. */
  label_ids?: readonly string[] | undefined;
};
type ListFormat = 'ids' | 'metadata' | 'full';
type ThreadFormat = Exclude<Format, 'raw'>;

const keyed = ({ idempotencyKey, ...options }: WriteOptions = {}) => ({
  headers: { 'idempotency-key': idempotencyKey },
  options,
});

export const messages = (api: Transport) => {
  const list = <F extends ListFormat | undefined = undefined>(
    connectorId: string,
    query: Omit<Searched<'messages_list'>, 'format'> & { format?: F } = {},
    options?: CallOptions,
  ) => api.call('messages_list', { path: [connectorId], query }, options) as Promise<MessagePage<MessageIn<F>>>;
  return {
    /** A page of what Gmail's search finds, newest first; of each message its headers, unless `format` says otherwise. */
    list,
    /** All that is found, page by page, with the ids that could not be read. */
    pages: <F extends ListFormat | undefined = undefined>(
      connectorId: string,
      query: Omit<Searched<'messages_list'>, 'format' | 'page_token'> & { format?: F } = {},
      options?: CallOptions,
    ) => pagesOf((page_token) => list<F>(connectorId, { ...query, ...(page_token && { page_token }) }, options)),
    get: <F extends Format | undefined = undefined>(
      connectorId: string,
      id: string,
      query: { format?: F } = {},
      options?: CallOptions,
    ) => api.call('messages_get', { path: [connectorId, id], query }, options) as Promise<MessageIn<F>>,
    /** Sends a mail. With an `idempotencyKey` it may be repeated; without, never after `outcome_unknown`. */
    send: (connectorId: string, body: Outgoing, write?: WriteOptions) => {
      const { headers, options } = keyed(write);
      return api.call('messages_send', { path: [connectorId], body, headers }, options);
    },
    modify: (connectorId: string, id: string, body: LabelChange, options?: CallOptions) =>
      api.call('messages_modify', { path: [connectorId, id], body }, options),
    trash: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('messages_trash', { path: [connectorId, id] }, options),
    untrash: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('messages_untrash', { path: [connectorId, id] }, options),
    /** Moves it to the trash, or with `permanent` deletes it for good. */
    remove: (connectorId: string, id: string, query: Query<'messages_delete'> = {}, options?: CallOptions) =>
      api.call('messages_delete', { path: [connectorId, id], query }, options),
    batchModify: (connectorId: string, ids: string[], change: LabelChange, options?: CallOptions) =>
      api.call('messages_batch_modify', { path: [connectorId], body: { ...change, ids } }, options),
    batchRemove: (connectorId: string, ids: string[], permanent = false, options?: CallOptions) =>
      api.call('messages_batch_delete', { path: [connectorId], body: { ids, permanent } }, options),
  };
};

export const threads = (api: Transport) => {
  const list = (connectorId: string, query: Searched<'threads_list'> = {}, options?: CallOptions) =>
    api.call('threads_list', { path: [connectorId], query }, options);
  return {
    /** A page of what Gmail's search finds, newest first. */
    list,
    /** All that is found, one after the other. */
    all: (connectorId: string, query: Omit<Searched<'threads_list'>, 'page_token'> = {}, options?: CallOptions) => {
      const pages = pagesOf((page_token) =>
        list(connectorId, { ...query, ...(page_token && { page_token }) }, options),
      );
      return entriesOf(pages, (page) => page.threads);
    },
    /** A thread with its messages, oldest first. */
    get: <F extends ThreadFormat | undefined = undefined>(
      connectorId: string,
      id: string,
      query: { format?: F } = {},
      options?: CallOptions,
    ) => api.call('threads_get', { path: [connectorId, id], query }, options) as Promise<ThreadIn<F>>,
    modify: (connectorId: string, id: string, body: LabelChange, options?: CallOptions) =>
      api.call('threads_modify', { path: [connectorId, id], body }, options),
    trash: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('threads_trash', { path: [connectorId, id] }, options),
    untrash: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('threads_untrash', { path: [connectorId, id] }, options),
    remove: (connectorId: string, id: string, query: Query<'threads_delete'> = {}, options?: CallOptions) =>
      api.call('threads_delete', { path: [connectorId, id], query }, options),
  };
};

export const labels = (api: Transport) => {
  const list = (connectorId: string, query?: Query<'labels_list'>, options?: CallOptions) =>
    api.call('labels_list', { path: [connectorId], query }, options);
  return {
    /** A page of them, without counts. */
    list,
    /** All, one after the other. */
    all: (connectorId: string, options?: CallOptions) => {
      const pages = pagesOf((page_token) => list(connectorId, { ...(page_token && { page_token }) }, options));
      return entriesOf(pages, (page) => page.labels);
    },
    /** A label with its counts. */
    get: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('labels_get', { path: [connectorId, id] }, options),
    create: (connectorId: string, body: LabelSpec, write?: WriteOptions) => {
      const { headers, options } = keyed(write);
      return api.call('labels_create', { path: [connectorId], body, headers }, options);
    },
    update: (connectorId: string, id: string, body: LabelSpec, options?: CallOptions) =>
      api.call('labels_update', { path: [connectorId, id], body }, options),
    /** Deletes it for good, and takes it off all messages. */
    remove: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('labels_delete', { path: [connectorId, id] }, options),
  };
};

export const drafts = (api: Transport) => {
  const list = (connectorId: string, query: Query<'drafts_list'> = {}, options?: CallOptions) =>
    api.call('drafts_list', { path: [connectorId], query }, options);
  return {
    /** A page of them, newest first. */
    list,
    /** All, one after the other. */
    all: (connectorId: string, query: Omit<Query<'drafts_list'>, 'page_token'> = {}, options?: CallOptions) => {
      const pages = pagesOf((page_token) =>
        list(connectorId, { ...query, ...(page_token && { page_token }) }, options),
      );
      return entriesOf(pages, (page) => page.drafts);
    },
    get: <F extends Format | undefined = undefined>(
      connectorId: string,
      id: string,
      query: { format?: F } = {},
      options?: CallOptions,
    ) => api.call('drafts_get', { path: [connectorId, id], query }, options) as Promise<DraftIn<F>>,
    create: (connectorId: string, body: Outgoing, write?: WriteOptions) => {
      const { headers, options } = keyed(write);
      return api.call('drafts_create', { path: [connectorId], body, headers }, options);
    },
    /** Replaces its mail. */
    replace: (connectorId: string, id: string, body: Outgoing, options?: CallOptions) =>
      api.call('drafts_update', { path: [connectorId, id], body }, options),
    /** Changes what the body names; what is absent stays. */
    update: (connectorId: string, id: string, body: DraftChange, options?: CallOptions) =>
      api.call('drafts_patch', { path: [connectorId, id], body }, options),
    send: (connectorId: string, id: string, write?: WriteOptions) => {
      const { headers, options } = keyed(write);
      return api.call('drafts_send', { path: [connectorId, id], headers }, options);
    },
    remove: (connectorId: string, id: string, options?: CallOptions) =>
      api.call('drafts_delete', { path: [connectorId, id] }, options),
  };
};

/** An attachment's bytes, or a range of them. */
export interface Downloaded {
  blob: Blob;
  /** As the API made it harmless. */
  filename: string;
  /** `bytes 0-4194303/9437184` of a range. */
  range: string | undefined;
}

export const attachments = (api: Transport) => ({
  list: (connectorId: string, messageId: string, options?: CallOptions) =>
    api.call('attachments_list', { path: [connectorId, messageId] }, options),

  /** Reads one of at most 4 MiB, or a range such as `bytes=0-4194303` of a larger one. */
  async get(
    connectorId: string,
    messageId: string,
    partId: string,
    { range, ...options }: CallOptions & { range?: string } = {},
  ): Promise<Downloaded> {
    const request = { path: [connectorId, messageId, partId], headers: { range } };
    const answer = await api.raw('attachments_get', request, options);
    const blob = await read(answer, () => answer.blob(), options);
    const filename = filenameIn(answer.headers.get('content-disposition'));
    return { blob, filename, range: answer.headers.get('content-range') ?? undefined };
  },

  /** A URL from which a browser downloads the whole for 15 minutes, without a token. */
  link: (connectorId: string, messageId: string, partId: string, options?: CallOptions) =>
    api.call('attachments_url', { path: [connectorId, messageId, partId] }, options),
});

export const uploads = (api: Transport) => ({
  /** Where a file can be put. */
  create: (connectorId: string, body: { size: number; sha256?: string }, options?: CallOptions) =>
    api.call('uploads_create', { path: [connectorId], body }, options),

  /** Puts a file that is to go out with a mail; answers the `upload_id` that names it there. */
  async put(connectorId: string, file: Blob, options: CallOptions = {}): Promise<string> {
    const { url, headers, upload_id } = await api.call(
      'uploads_create',
      { path: [connectorId], body: { size: file.size } },
      options,
    );
    const { 'content-length': _, ...own } = headers;
    const answer = await api.put(url, own, file, options.signal);
    if (!answer.ok) throw await ApiProblem.of(answer);
    return upload_id;
  },
});

/** The name in a `Content-Disposition`: RFC 8187's form before the plain one. */
export function filenameIn(header: string | null): string {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header ?? '')?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // The plain form is there too.
    }
  }
  const [, quoted, plain] = /filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header ?? '') ?? [];
  return quoted?.replace(/\\(.)/g, '$1') ?? plain ?? 'attachment';
}
