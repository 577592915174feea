// Who asks, and what the role allows. What it does not allow is not offered.
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import type { Action, Me } from 'email-connectors-client';
import { useApi, type Api } from './client';
import { keys } from './keys';

export type May = Action;

const meOf = (api: Api) => ({
  queryKey: keys.me,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.me({ signal }),
  staleTime: 5 * 60_000,
});

/** Suspends until it is known. */
export function useMe(): Me {
  const api = useApi();
  return useSuspenseQuery(meOf(api)).data;
}

export function useMeIfKnown(): Me | undefined {
  const api = useApi();
  return useQuery(meOf(api)).data;
}

export function useMay(what: May): boolean {
  return useMe().may.includes(what);
}
