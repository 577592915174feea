// What this room asks the API.
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { collect, type Trigger } from 'email-connectors-client';
import { useApi } from '../api/client';
import { keys } from '../api/keys';
import { every } from '../api/polling';
import { absorb, extend, type Kept, type List, merged } from './kept';

const PAGE = 25;
/** Between two looks at all triggers, for each of them. */
const EACH_MS = 1_000;
const LEAST_MS = 4_000;

export function useTriggers() {
  const api = useApi();
  return useQuery({
    queryKey: keys.triggers,
    queryFn: ({ signal }) => collect(api.triggers.all({ signal })),
    refetchInterval: every(30_000),
  });
}

/** What these triggers fired. The API lists by trigger; here the lists become one. */
export function useFirings(triggers: readonly Trigger[]) {
  const api = useApi();
  const client = useQueryClient();
  const queries = useQueries({
    queries: triggers.map(({ id }) => ({
      queryKey: keys.firingsOf(id),
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Kept> => {
        const page = await api.firings.list(id, { page_size: PAGE }, { signal });
        return absorb(client.getQueryData<Kept>(keys.firingsOf(id)), page);
      },
      refetchInterval: every(Math.max(LEAST_MS, EACH_MS * triggers.length)),
    })),
  });
  const lists: List[] = triggers.flatMap(({ id }, at) => {
    const kept = queries[at]?.data;
    return kept ? [{ triggerId: id, kept }] : [];
  });
  const older = useMutation({
    mutationFn: async (open: List[]) => {
      const pages = open.map(async ({ triggerId, kept }) => {
        const page = await api.firings.list(triggerId, { page_size: PAGE, page_token: kept.next ?? '' });
        client.setQueryData<Kept>(keys.firingsOf(triggerId), (before) => (before ? extend(before, page) : undefined));
      });
      await Promise.all(pages);
    },
  });
  return {
    ...merged(lists),
    older,
    /** Until each trigger has answered once, or failed: what came with the first answers is not newer than the rest. */
    isPending: queries.some(({ isPending }) => isPending),
    error: queries.find(({ error }) => error !== null)?.error,
    refetch: () => void Promise.all(queries.map((query) => query.refetch())),
  };
}
