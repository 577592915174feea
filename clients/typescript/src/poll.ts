// Following something that changes, by asking again and again.

import { ApiProblem, ApiUnreachable } from './problem.js';
import { pause } from './wait.js';

export interface PollOptions {
  /** The pause after a change, in milliseconds. Default 2,000. */
  every?: number;
  /** The longest pause: while nothing changes, each is half as long again as the one before. Default 30,000. */
  longest?: number;
  /** Ends it. */
  signal?: AbortSignal;
  /** Told of what passes by itself, such as a 503; polling goes on. */
  failed?: (failure: ApiProblem | ApiUnreachable) => void;
}

/**
 * Reads again and again, and yields the first value and each that differs. Reads of a client answer
 * the same object while the API answers 304. It ends with its signal, and throws what does not pass
 * by itself.
 */
export async function* poll<T>(
  read: (signal: AbortSignal | undefined) => Promise<T>,
  options: PollOptions = {},
): AsyncGenerator<T, void, void> {
  const { every = 2_000, longest = 30_000, signal, failed } = options;
  let [wait, first, last] = [every, true, undefined as T | undefined];
  while (!signal?.aborted) {
    try {
      const value = await read(signal);
      const changed = first || value !== last;
      [first, last] = [false, value];
      if (changed) yield value;
      wait = changed ? every : Math.min(longest, wait * 1.5);
    } catch (error) {
      if (signal?.aborted) return;
      if (!passes(error)) throw error;
      failed?.(error);
      const asked = error instanceof ApiProblem ? (error.retryAfter ?? 0) * 1000 : 0;
      wait = Math.max(asked, Math.min(longest, wait * 2));
    }
    try {
      await pause(wait, signal);
    } catch {
      return;
    }
  }
}

function passes(error: unknown): error is ApiProblem | ApiUnreachable {
  if (error instanceof ApiUnreachable) return true;
  return error instanceof ApiProblem && (error.status === 429 || error.status >= 500);
}
