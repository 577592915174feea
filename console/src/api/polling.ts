// How often a view looks again. TanStack Query pauses this by itself while the tab is hidden.
import type { Query } from '@tanstack/react-query';
import { asProblem } from './problem';

const EVERY_MS = 4_000;
const LONGEST_MS = 60_000;

/** For `refetchInterval`: each few seconds, ever slower while it fails, and never again once it is refused for good. */
export function every(ms = EVERY_MS): (query: Query<any, any, any, any>) => number | false {
  return ({ state }) => {
    if (state.error === null) return ms;
    const { status } = asProblem(state.error);
    if (status === 403 || status === 404) return false;
    const failingFor = state.dataUpdatedAt > 0 ? state.errorUpdatedAt - state.dataUpdatedAt : state.errorUpdateCount * ms * 2;
    return pause(failingFor, ms);
  };
}

/** What has failed for long is asked after as long again. */
export function pause(failingFor: number, ms = EVERY_MS): number {
  return Math.min(Math.max(ms, failingFor), LONGEST_MS);
}
