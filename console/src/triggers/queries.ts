// What this room asks the API.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiProblem, collect, type Rehearsal, type Trigger } from 'email-connectors-client';
import { useApi } from '../api/client';
import { keys } from '../api/keys';
import { every } from '../api/polling';
import { type FilterForm, type Filters, toFilters } from './filters';

export function useTriggers() {
  const api = useApi();
  return useQuery({
    queryKey: keys.triggers,
    queryFn: ({ signal }) => collect(api.triggers.all({ signal })),
    refetchInterval: every(15_000),
  });
}

export function useTrigger(id: string) {
  const api = useApi();
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.trigger(id),
    queryFn: ({ signal }) => api.triggers.get(id, { signal }),
    placeholderData: () => client.getQueryData<Trigger[]>(keys.triggers)?.find((trigger) => trigger.id === id),
  });
}

export type Draft = { type: 'email' | 'webhook'; connectorId: string; form: FilterForm; agentId: string };

/** Makes the trigger, or changes the one that is there. Answers it, with its secret if it has a new one. */
export function useSave(existing: Trigger | undefined) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({
      type,
      connectorId,
      form,
      agentId,
    }: Draft): Promise<Trigger & { secret?: string | null }> => {
      const filters: Filters = type === 'email' ? toFilters(form).filters : {};
      const agent_id = agentId.trim() === '' ? null : agentId.trim();
      if (existing) {
        return api.triggers.update(existing.id, { agent_id, ...(type === 'email' && { config: { filters } }) });
      }
      return api.triggers.create({
        type,
        config: { connector_id: connectorId, ...(type === 'email' && { filters }) },
        ...(agent_id !== null && { agent_id }),
      });
    },
    onSuccess: (saved) => {
      const trigger = { ...saved };
      // It is shown once, and kept nowhere.
      delete trigger.secret;
      client.setQueryData(keys.trigger(trigger.id), trigger);
      return client.invalidateQueries({ queryKey: keys.triggers, exact: true });
    },
  });
}

export function useRemove() {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      try {
        await api.triggers.remove(id);
      } catch (error) {
        // Somebody else was faster; it is gone as wanted.
        if (!(error instanceof ApiProblem && error.status === 404)) throw error;
      }
    },
    onSuccess: (_, id) => {
      client.removeQueries({ queryKey: keys.trigger(id) });
      return client.invalidateQueries({ queryKey: keys.triggers, exact: true });
    },
  });
}

export type Tried = Omit<Rehearsal, 'trigger_id'>;
export type Range = { days: number; limit: number };

export type Try = {
  connectorId: string;
  triggerId?: string | undefined;
  filters: Filters;
  isStored: boolean;
  range: Range;
};

/** Stored filters are tried by their trigger, which also knows what fired already; others by the connector. */
export function useTry({ connectorId, triggerId, filters, isStored, range }: Try, enabled: boolean) {
  const api = useApi();
  const asStored = triggerId !== undefined && isStored;
  return useQuery({
    queryKey: ['rehearsal', connectorId, asStored ? triggerId : null, filters, range],
    queryFn: ({ signal }): Promise<Tried> =>
      asStored
        ? api.triggers.test(triggerId, range, { signal })
        : api.connectors.rehearse(connectorId, { filters, ...range }, { signal }),
    enabled: enabled && connectorId !== '',
    // Each costs quota: it is not asked again by itself.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
    placeholderData: (before, query) => (query?.queryKey[1] === connectorId ? before : undefined),
  });
}
