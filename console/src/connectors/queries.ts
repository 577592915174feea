// What this room asks the API, and what makes its answers stale.
import { useMutation, useQueries, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { collect, type Connector, type ConnectorChange, type ConnectorHealth, type OfferedProvider } from 'email-connectors-client';
import { useApi, type Api } from '../api/client';
import { keys } from '../api/keys';
import { every } from '../api/polling';

const HEALTH_EVERY_MS = 30_000;
/** A health costs the API more than a connector, so a long list does without. */
const MOST_HEALTHS = 10;

const listOf = (api: Api) => ({
  queryKey: keys.connectors,
  queryFn: ({ signal }: { signal: AbortSignal }): Promise<Connector[]> => collect(api.connectors.all({ signal })),
  refetchInterval: every(),
});

const infoOf = (api: Api) => ({
  queryKey: keys.info,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.system.info({ signal }),
  staleTime: 5 * 60_000,
});

const healthOf = (api: Api, id: string, ms: number) => ({
  queryKey: keys.connectorHealth(id),
  queryFn: ({ signal }: { signal: AbortSignal }) => api.connectors.health(id, { signal }),
  refetchInterval: every(ms),
});

/** All connectors of the owner, kept current. Suspends until they are known. */
export function useConnectors(): Connector[] {
  const api = useApi();
  return useSuspenseQuery(listOf(api)).data;
}

/** The same with its failure, for a view that shows a list that has become old. */
export function useConnectorList() {
  const api = useApi();
  return useQuery(listOf(api));
}

export function useConnectorQuery(id: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.connector(id),
    queryFn: ({ signal }) => api.connectors.get(id, { signal }),
    refetchInterval: every(),
  });
}

export function useHealth(id: string) {
  const api = useApi();
  return useQuery(healthOf(api, id, HEALTH_EVERY_MS / 3));
}

export function useHealths(connectors: Connector[]): Map<string, ConnectorHealth> {
  const api = useApi();
  const few = connectors.length <= MOST_HEALTHS ? connectors : [];
  const found = useQueries({ queries: few.map(({ id }) => healthOf(api, id, HEALTH_EVERY_MS)) });
  return new Map(found.flatMap(({ data }) => (data ? [[data.id, data] as const] : [])));
}

/** What can be connected here. The page knows no provider by name. */
export function useProviders(): OfferedProvider[] {
  const api = useApi();
  return useSuspenseQuery(infoOf(api)).data.providers;
}

/** What a provider is called; its id until that is known. */
export function useProviderName(): (id: string) => string {
  const api = useApi();
  const { data } = useQuery(infoOf(api));
  return (id) => data?.providers.find((provider) => provider.id === id)?.name ?? id;
}

/** After a change: the list, the connector and its health are asked anew. */
export function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: keys.connectors });
}

export function useChange(id: string) {
  const api = useApi();
  const client = useQueryClient();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (change: ConnectorChange) => api.connectors.update(id, change),
    onSuccess: (connector) => {
      client.setQueryData(keys.connector(id), connector);
      void refresh();
    },
  });
}

export function useLookNow(id: string) {
  const api = useApi();
  const refresh = useRefresh();
  return useMutation({ mutationFn: () => api.connectors.sync(id), onSuccess: () => void refresh() });
}

export function useDisconnect(id: string) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.connectors.remove(id),
    onSuccess: () => {
      // What is gone is not asked for again while its receipt is shown.
      client.setQueryData<Connector[]>(keys.connectors, (all) => all?.filter((each) => each.id !== id));
      void client.invalidateQueries({ queryKey: keys.connectors, exact: true });
      void client.invalidateQueries({ queryKey: keys.triggers });
    },
  });
}
