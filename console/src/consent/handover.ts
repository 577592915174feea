// From the callback page to the view that goes on, within one page and never in its address.
import type { Pending } from './redirect';
import type { Returned } from './returned';

export type Resumed = { returned: Returned; pathname: string; pending: Pending | null };

let waiting: Resumed | null = null;

export function resumeWith(resumed: Resumed): void {
  waiting = resumed;
}

/** Looked at while rendering; `resumed()` takes it away. */
export function peekResumed(): Resumed | null {
  return waiting;
}

export function resumed(): void {
  waiting = null;
}
