// How often a dry run runs by itself while somebody types: each one costs units of the mailbox's quota, which the triggers share.

/** The dearest provider's price of a listing, and of reading one message. */
const LISTING = 5;
const MESSAGE = 20;
/** Of the 6,000 units of a minute there, so many for dry runs by themselves. */
export const UNITS_PER_MINUTE = 3_000;
const MINUTE = 60_000;

export type Spent = { at: number; units: number };

/** What one may cost; what it did cost, its answer says. */
export function mostUnits(limit: number): number {
  return LISTING + MESSAGE * limit;
}

/** In how many milliseconds the next one may run by itself. */
export function waitFor(units: number, spent: readonly Spent[], now: number): number {
  const recent = spent.filter(({ at }) => now - at < MINUTE);
  let sum = recent.reduce((all, one) => all + one.units, 0);
  // What costs more than all of a minute runs alone.
  const fits = () => sum === 0 || sum + units <= UNITS_PER_MINUTE;
  if (fits()) return 0;
  for (const { at, units: freed } of recent) {
    sum -= freed;
    if (fits()) return at + MINUTE - now;
  }
  return 0;
}
