import type { Firing } from 'email-connectors-client';
import { describe, expect, it } from 'vitest';
import { absorb, extend, type Kept, merged } from './kept';

const firing = (id: number, published = true): Firing => ({
  event_id: `evt_${id}`,
  decided_at: new Date(1_700_000_000_000 + id * 1000).toISOString(),
  detail_type: 'TRIGGER_FIRED',
  connector_id: 'con_1',
  published,
});
const page = (next: string | null, ...ids: number[]) => ({
  firings: ids.map((id) => firing(id)),
  next_page_token: next,
});
const ids = ({ firings }: { firings: Firing[] }) => firings.map(({ event_id }) => Number(event_id.slice(4)));

describe('the newest page', () => {
  it('is all at first', () => {
    expect(absorb(undefined, page('n', 3, 2))).toEqual({ firings: [firing(3), firing(2)], next: 'n' });
  });

  it('joins on to what was read', () => {
    const before = extend(absorb(undefined, page('a', 4, 3)), page('b', 2, 1));
    const after = absorb(before, page('c', 5, 4));
    expect(ids(after)).toEqual([5, 4, 3, 2, 1]);
    expect(after.next).toBe('b');
  });

  it('that is as it was changes nothing', () => {
    const before = absorb(undefined, page('a', 4, 3));
    expect(absorb(before, page('a', 4, 3))).toEqual(before);
  });

  it('brings news of what is published', () => {
    const before: Kept = { firings: [firing(2, false), firing(1)], next: 'a' };
    expect(absorb(before, page('a', 2, 1)).firings[0]?.published).toBe(true);
  });

  it('that does not join on replaces what was read, so that no gap is hidden', () => {
    const before = absorb(undefined, page('a', 4, 3));
    expect(absorb(before, page('b', 9, 8))).toEqual({ firings: [firing(9), firing(8)], next: 'b' });
  });

  it('that is the last one is all there is', () => {
    const before: Kept = { firings: [firing(3), firing(2), firing(1)], next: undefined };
    expect(ids(absorb(before, page(null, 3)))).toEqual([3]);
  });
});

describe('several lists in one', () => {
  it('end where the first of them is not read on', () => {
    const one = { triggerId: 'one', kept: absorb(undefined, page('a', 9, 7)) };
    const other = { triggerId: 'other', kept: absorb(undefined, page('b', 8, 2)) };
    const all = { triggerId: 'all', kept: absorb(undefined, page(null, 6, 1)) };
    const { firings, open } = merged([one, other, all]);
    expect(ids({ firings })).toEqual([9, 8, 7]);
    expect(open).toEqual([one]);
  });

  it('are whole once all are', () => {
    const lists = [page(null, 3, 1), page(null, 2), page(null)].map((each, at) => ({
      triggerId: String(at),
      kept: absorb(undefined, each),
    }));
    const { firings, open } = merged(lists);
    expect(ids({ firings })).toEqual([3, 2, 1]);
    expect(firings.map(({ triggerId }) => triggerId)).toEqual(['0', '1', '0']);
    expect(open).toEqual([]);
  });
});
