// What the provider sent back, and how it comes from the callback page to the page that asked.
import type { OfferedProvider } from 'email-connectors-client';
import { base, consoleUrl } from '../app/base';

export type Returned = {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  subtype?: string | undefined;
  description?: string | undefined;
  /** An administrator's answer, who allows the app for a whole organisation, or does not. */
  ofAdministrator?: true;
};

export function returnedOf(search: string): Returned | null {
  const query = new URLSearchParams(search);
  const state = query.get('state');
  if (!state) return null;
  const word = (name: string) => query.get(name) ?? undefined;
  const error = word('error');
  // By its documents, a refusal of Microsoft's has this word alone; others have the mark of the answer that allows.
  const ofAdministrator = query.has('admin_consent') || error === 'permission_denied';
  return {
    state,
    code: word('code'),
    error,
    subtype: word('error_subtype'),
    description: word('error_description'),
    ...(ofAdministrator && { ofAdministrator }),
  };
}

/** `google` of `/api/auth/google/gmail`: providers of one house share a callback. */
function houseOf(provider: Pick<OfferedProvider, 'connect'>): string {
  return /^\/api\/auth\/([^/]+)\//.exec(provider.connect)?.[1] ?? '';
}

/** The address that must be registered at the provider. */
export function callbackOf(provider: Pick<OfferedProvider, 'connect'>): string {
  return consoleUrl(`/auth/${houseOf(provider)}/callback`);
}

/** Which provider an address of a callback page belongs to. */
export function providerAt<P extends Pick<OfferedProvider, 'connect'>>(providers: P[], pathname: string): P | undefined {
  const house = pathname.slice(base.console.length).split('/')[2];
  return providers.find((provider) => houseOf(provider) === house);
}

const CHANNEL = 'email-connectors.consent';
type Message = { is: 'returned'; returned: Returned } | { is: 'taken'; state: string };

/** On the page that asked: waits for the answer to this state. Only pages of this origin reach the channel. */
export function listen(state: string, take: (returned: Returned) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.is !== 'returned' || data.returned.state !== state) return;
    channel.postMessage({ is: 'taken', state } satisfies Message);
    take(data.returned);
  });
  return () => channel.close();
}

/** On the callback page: true once the page that asked has taken it. */
export function handOver(returned: Returned, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(CHANNEL);
    const end = (taken: boolean) => {
      clearTimeout(timer);
      channel.close();
      resolve(taken);
    };
    const timer = setTimeout(() => end(false), patience);
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.is === 'taken' && data.state === returned.state) end(true);
    });
    channel.postMessage({ is: 'returned', returned } satisfies Message);
  });
}
