// Whether somebody is signed in here, as far as this browser remembers: not who, and nothing that opens anything.
const KEY = 'email-connectors.signed-in';

export function isSignedInHere(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

export function rememberSignedIn(signedIn: boolean): void {
  try {
    if (signedIn) localStorage.setItem(KEY, 'yes');
    else localStorage.removeItem(KEY);
  } catch {
    // A browser without storage has everybody sign in by a click.
  }
}
