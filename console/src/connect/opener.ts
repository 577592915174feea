// What the product hears that opened the page: at its one origin, and nothing that could not be shown to it.

export type Message =
  | { type: 'email-connectors:connected'; connector_id: string; email_address: string }
  | { type: 'email-connectors:cancelled' }
  | { type: 'email-connectors:failed'; code: string };

type Opener = Pick<Window, 'postMessage'> | null;

/** False if nobody is there to hear it. */
export function tell(message: Message, origin: string, opener: Opener = window.opener as Opener): boolean {
  if (!opener) return false;
  opener.postMessage(message, origin);
  return true;
}

/** What is told when the person leaves without a mailbox. */
export function leaving(lastCode: string | null): Message {
  return lastCode === null ? { type: 'email-connectors:cancelled' } : { type: 'email-connectors:failed', code: lastCode };
}
