// The session's token stands in the fragment, which no server sees, and is removed from the address bar at once.

/** Whose session it is, and what nobody guesses; both are base64url. */
const FORM = /^cst_[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{1,256}$/;

export function tokenIn(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('session');
  return token !== null && FORM.test(token) ? token : null;
}

let taken: string | null | undefined;

/** Reads it once for this page; the address bar and the history have it no longer. */
export function takeToken(): string | null {
  if (taken === undefined) {
    taken = tokenIn(location.hash);
    if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search);
  }
  return taken;
}
