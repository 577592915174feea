import { describe, expect, it } from 'vitest';
import { mostUnits, type Spent, waitFor } from './pace';

const at = (...units: [number, number][]): Spent[] => units.map(([at, units]) => ({ at, units }));

describe('a dry run by itself', () => {
  const table: [string, number, Spent[], number, number][] = [
    ['runs at once if nothing was spent', 505, [], 0, 0],
    ['runs at once while there is enough', 505, at([0, 505], [1000, 505]), 2000, 0],
    ['waits until enough is a minute old', 505, at([0, 1505], [1000, 505], [2000, 505]), 3000, 57_000],
    ['waits for as many as it needs', 1505, at([0, 805], [1000, 505], [2000, 1005]), 3000, 58_000],
    ['forgets what is older than a minute', 505, at([0, 3000]), 60_000, 0],
    ['runs alone if it costs more than all', 3005, [], 0, 0],
    ['waits to be alone if it costs more than all', 3005, at([0, 45], [1000, 45]), 2000, 59_000],
  ];
  it.each(table)('%s', (_, units, spent, now, expected) => expect(waitFor(units, spent, now)).toBe(expected));

  it('costs so much at most', () => {
    expect(mostUnits(25)).toBe(505);
  });
});
