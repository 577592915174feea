// Consent in the same tab, where the browser blocks the window: what the page must remember meanwhile.
// It lies in sessionStorage from the moment that the page is left until it is back, and is removed when it is read.

export type Pending = {
  state: string;
  /** `connect` of the provider. */
  connect: string;
  replace: boolean;
  /** Of the page that connects for another product; it lives for minutes and may connect one mailbox. */
  session?: string;
};

const KEY = 'email-connectors.consent';

export function leave(pending: Pending, url: string): void {
  sessionStorage.setItem(KEY, JSON.stringify(pending));
  location.assign(url);
}

/** What was remembered for this state. A window that the page opened has a copy, so the state decides. */
export function pendingOf(state: string, storage: Storage = sessionStorage): Pending | null {
  const text = storage.getItem(KEY);
  storage.removeItem(KEY);
  try {
    const pending = JSON.parse(text ?? 'null') as Pending | null;
    return pending?.state === state ? pending : null;
  } catch {
    return null;
  }
}
