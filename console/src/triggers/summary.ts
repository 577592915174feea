// What a dry run comes to.
import type { Looked } from 'email-connectors-client';
import type { Tried } from './queries';
import { FILTERS, isOnlyOfAge, type Reason } from './words';

export type Verdict = 'fires' | 'would-match' | 'not';
export type Seen = Looked & { verdict: Verdict };

/** All that was looked at, newest first. */
export function seenOf({ would_fire, would_not }: Pick<Tried, 'would_fire' | 'would_not'>): Seen[] {
  const seen = [
    ...would_fire.map((looked) => ({ ...looked, verdict: 'fires' as const })),
    ...would_not.map((looked) => ({ ...looked, verdict: verdictOf(looked.reasons ?? []) })),
  ];
  return seen.toSorted((one, other) => other.timestamp.localeCompare(one.timestamp));
}

function verdictOf(reasons: readonly Reason[]): Verdict {
  return isOnlyOfAge(reasons) ? 'would-match' : 'not';
}

/** Which filters keep mail out, the strictest first: how many messages fail each, and how many fail nothing else. */
export function keptOut(seen: readonly Seen[]): { filter: string; title: string; count: number; alone: number }[] {
  const counts = new Map<string, { count: number; alone: number }>();
  for (const { verdict, reasons = [] } of seen) {
    if (verdict !== 'not') continue;
    const filters = new Set(
      reasons.flatMap((reason) => (reason.reason === 'filter' ? [reason.detail.filter as string] : [])),
    );
    for (const filter of filters) {
      const before = counts.get(filter) ?? { count: 0, alone: 0 };
      counts.set(filter, { count: before.count + 1, alone: before.alone + (filters.size === 1 ? 1 : 0) });
    }
  }
  const titleOf = (filter: string) => (filter in FILTERS ? FILTERS[filter as keyof typeof FILTERS].title : filter);
  return [...counts]
    .map(([filter, { count, alone }]) => ({ filter, title: titleOf(filter), count, alone }))
    .toSorted((one, other) => other.count - one.count || other.alone - one.alone);
}

/** The sentence that is read out when a dry run is done. */
export function inOneSentence({ looked_at, truncated, days }: Tried, seen: readonly Seen[]): string {
  const count = (verdict: Verdict) => seen.filter((one) => one.verdict === verdict).length;
  const [fires, matches] = [count('fires'), count('would-match')];
  if (looked_at === 0) return `There was no mail in the last ${days === 1 ? 'day' : `${days} days`}.`;
  const of = `${fires} of ${looked_at} ${looked_at === 1 ? 'message' : 'messages'} would fire`;
  const older = matches > 0 ? `, and ${matches} more if ${matches === 1 ? 'it was' : 'they were'} new` : '';
  return `${of}${older}.${truncated ? ' There is more mail of those days.' : ''}`;
}
