// The client: a room for each noun of the API.

import { account, connectSessions, consent, system } from './nouns/account.js';
import { connectors } from './nouns/connectors.js';
import { attachments, drafts, labels, messages, threads, uploads } from './nouns/mail.js';
import { firings, triggers } from './nouns/triggers.js';
import { type ClientOptions, Transport } from './transport.js';

export type Client = ReturnType<typeof createClient>;

/** Makes a client of the API at `baseUrl`. It may be used from anywhere, by any number of callers. */
export function createClient(options: ClientOptions) {
  const transport = new Transport(options);
  return {
    ...account(transport),
    system: system(transport),
    consent: consent(transport),
    connectSessions: connectSessions(transport),
    connectors: connectors(transport),
    triggers: triggers(transport),
    firings: firings(transport),
    messages: messages(transport),
    threads: threads(transport),
    labels: labels(transport),
    drafts: drafts(transport),
    attachments: attachments(transport),
    uploads: uploads(transport),
    /** Forgets the answers that are kept by their ETag, as when another user signs in. */
    forget: () => transport.forget(),
  };
}
