// What a trigger fired, as far as it was read: the newest pages, joined without a gap.
import type { Firing } from 'email-connectors-client';

export type Kept = {
  /** Newest first. */
  firings: Firing[];
  /** Leads to what is older; absent once all is there. */
  next?: string | undefined;
};

type Page = { firings: Firing[]; next_page_token?: string | null };

/** Takes the newest page into what was read before. */
export function absorb(before: Kept | undefined, page: Page): Kept {
  const fresh: Kept = { firings: page.firings, next: page.next_page_token ?? undefined };
  if (!before || before.firings.length === 0 || fresh.next === undefined) return fresh;
  const ids = new Set(page.firings.map(({ event_id }) => event_id));
  const older = before.firings.filter(({ event_id }) => !ids.has(event_id));
  // More came in between than fits in a page: what was read before no longer joins on.
  if (older.length === before.firings.length) return fresh;
  // What ended its thirty days meanwhile stays until the view is left.
  return { firings: [...page.firings, ...older], next: older.length > 0 ? before.next : fresh.next };
}

/** Takes the page after what was read. */
export function extend(before: Kept, page: Page): Kept {
  const ids = new Set(before.firings.map(({ event_id }) => event_id));
  const older = page.firings.filter(({ event_id }) => !ids.has(event_id));
  return { firings: [...before.firings, ...older], next: page.next_page_token ?? undefined };
}

export type Listed = Firing & { triggerId: string };
export type List = { triggerId: string; kept: Kept };

/**
 * All lists in one, newest first, as far down as none has a gap. `open` are the lists that must be read on to go further:
 * those that end at the point where the joint list does.
 */
export function merged(lists: readonly List[]): { firings: Listed[]; open: List[] } {
  const unfinished = lists.filter(({ kept }) => kept.next !== undefined && kept.firings.length > 0);
  const endOf = ({ kept }: List) => kept.firings.at(-1)?.decided_at ?? '';
  const horizon = unfinished.map(endOf).reduce((latest, end) => (end > latest ? end : latest), '');
  const firings = lists
    .flatMap(({ triggerId, kept }) => kept.firings.map((firing) => ({ ...firing, triggerId })))
    .filter(({ decided_at }) => decided_at >= horizon)
    .toSorted(
      (one, other) => other.decided_at.localeCompare(one.decided_at) || one.event_id.localeCompare(other.event_id),
    );
  return { firings, open: unfinished.filter((list) => endOf(list) === horizon) };
}
