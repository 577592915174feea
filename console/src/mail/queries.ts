// What this room asks the API.
import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiProblem, type Attachment, type LabelChange, type Message, type ThreadIn } from 'email-connectors-client';
import { useApi } from '../api/client';
import { keys } from '../api/keys';
import { dataUrl, pictureType, safeName, save } from './files';
import { contentId } from './links';

const PAGE = 20;

export type Search = { query: string; label: string };

export function useMessages(connectorId: string, { query, label }: Search, token: string | undefined) {
  const api = useApi();
  return useQuery({
    queryKey: keys.mail(connectorId, 'list', query, label, token ?? ''),
    queryFn: ({ signal }) =>
      api.messages.list(
        connectorId,
        {
          page_size: PAGE,
          ...(query !== '' && { query }),
          ...(label !== '' && { label_ids: [label] }),
          ...((label === 'SPAM' || label === 'TRASH') && { include_spam_trash: true }),
          ...(token !== undefined && { page_token: token }),
        },
        { signal },
      ),
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
  });
}

/** Headers only: each message that is opened is read by itself, so that no thread is too large. */
export function useThread(connectorId: string, id: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.mail(connectorId, 'thread', id),
    queryFn: ({ signal }) => api.threads.get(connectorId, id, { format: 'metadata' }, { signal }),
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
}

export function useMessage(connectorId: string, id: string, enabled = true) {
  const api = useApi();
  return useQuery({
    queryKey: keys.mail(connectorId, 'message', id),
    queryFn: ({ signal }) => api.messages.get(connectorId, id, {}, { signal }),
    enabled: enabled && id !== '',
    // A message does not change; only its labels do, and the thread has them.
    staleTime: Infinity,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
}

export function useChangeThread(connectorId: string, id: string) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (change: LabelChange | 'trash' | 'untrash') => {
      if (change === 'trash') return api.threads.trash(connectorId, id);
      if (change === 'untrash') return api.threads.untrash(connectorId, id);
      return api.threads.modify(connectorId, id, change);
    },
    onSuccess: (_, change) => {
      const key = keys.mail(connectorId, 'thread', id);
      client.setQueryData<ThreadIn<'metadata'>>(key, (before) => before && relabelled(before, change));
      void client.invalidateQueries({ queryKey: key });
      return client.invalidateQueries({ queryKey: keys.mail(connectorId, 'list') });
    },
  });
}

function relabelled(thread: ThreadIn<'metadata'>, change: LabelChange | 'trash' | 'untrash'): ThreadIn<'metadata'> {
  if (typeof change === 'string') return thread;
  const { add_label_ids: added = [], remove_label_ids: removed = [] } = change;
  const messages = thread.messages.map((message) => ({
    ...message,
    label_ids: [...new Set([...message.label_ids.filter((label) => !removed.includes(label)), ...added])],
  }));
  return { ...thread, messages };
}

/** Saves a file under a harmless name, as bytes without a type: no browser opens it by itself. */
export function useDownload(connectorId: string, messageId: string) {
  const api = useApi();
  return useMutation({
    mutationFn: async ({ part_id, filename, mime_type }: Attachment) => {
      const name = safeName(filename, mime_type);
      try {
        const { blob } = await api.attachments.get(connectorId, messageId, part_id);
        save(new Blob([blob], { type: 'application/octet-stream' }), name);
      } catch (error) {
        if (!(error instanceof ApiProblem && error.is('attachment_too_large', 'answer_too_large'))) throw error;
        const { url } = await api.attachments.link(connectorId, messageId, part_id);
        save(url, name);
      }
    },
  });
}

/** Each costs units: a mail with more pictures of its own than this shows the rest by their text. */
const MOST_EMBEDDED = 12;
const LARGEST_EMBEDDED = 3_000_000;

/** Where each picture is, by its Content-ID. */
export type Pictures = Readonly<Record<string, string>>;

/** The pictures that came with the mail, as they arrive. */
export function useEmbedded(connectorId: string, message: Message, enabled: boolean): Pictures {
  const api = useApi();
  const wanted = (message.embedded ?? [])
    .filter(({ content_id, size }) => Boolean(content_id) && (size ?? 0) <= LARGEST_EMBEDDED)
    .slice(0, MOST_EMBEDDED);
  return useQueries({
    queries: wanted.map(({ part_id, content_id }) => ({
      queryKey: keys.mail(connectorId, 'message', message.id, 'embedded', part_id),
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const { blob } = await api.attachments.get(connectorId, message.id, part_id, { signal });
        const type = pictureType(new Uint8Array(await blob.slice(0, 16).arrayBuffer()));
        const url = type ? await dataUrl(new Blob([blob], { type })) : null;
        return { id: contentId(content_id ?? ''), url };
      },
      enabled,
      staleTime: Infinity,
      gcTime: 60_000,
      retry: false,
    })),
    combine: combined,
  });
}

/** A plain record, so that an equal one is the same one: a mail is not made harmless anew at each look. */
function combined(results: { data: { id: string; url: string | null } | undefined }[]): Pictures {
  return Object.fromEntries(results.flatMap(({ data }) => (data?.url ? [[data.id, data.url]] : [])));
}

export type DraftRow = { id: string; message: Message };

/** Drafts with their headers: the API lists ids, and reads each. */
export function useDrafts(connectorId: string, token: string | undefined) {
  const api = useApi();
  return useQuery({
    queryKey: keys.mail(connectorId, 'drafts', token ?? ''),
    queryFn: async ({ signal }) => {
      const page = await api.drafts.list(
        connectorId,
        { page_size: 10, ...(token !== undefined && { page_token: token }) },
        { signal },
      );
      const rows = page.drafts.map(async ({ id }): Promise<DraftRow[]> => {
        try {
          return [
            { id, message: (await api.drafts.get(connectorId, id, { format: 'metadata' }, { signal })).message },
          ];
        } catch (error) {
          // It was sent or deleted in between.
          if (error instanceof ApiProblem && error.status === 404) return [];
          throw error;
        }
      });
      return { drafts: (await Promise.all(rows)).flat(), next: page.next_page_token ?? undefined };
    },
    refetchOnWindowFocus: false,
  });
}
