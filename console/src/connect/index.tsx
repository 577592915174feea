// The page on which a product's users connect or repair a mailbox: no sign-in, one short-lived session, one button.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createClient, type CurrentConnectSession, type OfferedProvider } from 'email-connectors-client';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Api } from '../api/client';
import { asProblem } from '../api/problem';
import { apiUrl } from '../app/base';
import { useConsent } from '../consent/consent';
import { peekResumed, resumed as takeResumed } from '../consent/handover';
import { ConsentSteps } from '../consent/steps';
import { Button, Empty, Loading, Logo, Notice, Problem } from '../ui';
import s from './connect.module.css';
import { takeToken } from './fragment';
import { leaving, tell } from './opener';

const CLOSES_AFTER_MS = 1_500;

export default function ConnectPage() {
  const [client] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } }));
  // After a consent in this tab, the token comes back with it.
  const [resumed] = useState(peekResumed);
  const [token] = useState(() => resumed?.pending?.session ?? takeToken());
  useEffect(takeResumed, []);
  useEffect(() => {
    document.title = 'Connect a mailbox';
  }, []);
  return (
    <main className={s.page}>
      <div className={s.card}>
        <div className={s.brand}>
          <Logo size={28} />
        </div>
        {token === null ? (
          <Empty whole title="There is nothing to connect here">
            This page is opened by a product that asks for a mailbox. Go back to it and start there; a reload ends what was begun.
          </Empty>
        ) : (
          <QueryClientProvider client={client}>
            <WithSession token={token} resumed={resumed} />
          </QueryClientProvider>
        )}
      </div>
    </main>
  );
}

type Resumed = ReturnType<typeof peekResumed>;

function WithSession({ token, resumed }: { token: string; resumed: Resumed }) {
  const api = useMemo(() => createClient({ baseUrl: apiUrl(), token: () => token }), [token]);
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => api.connectSessions.current({ signal }) });
  const info = useQuery({ queryKey: ['info'], queryFn: ({ signal }) => api.system.info({ signal }) });
  const error = session.error ?? info.error;
  if (error) {
    const { status } = asProblem(error);
    if (status === 401 || status === 404) {
      return <Empty whole title="This link is no longer good">It is good for some minutes and for one mailbox. Go back to the product that opened it, and start again.</Empty>;
    }
    return <Problem error={error} onRetry={() => void (session.error ? session : info).refetch()} />;
  }
  if (!session.data || !info.data) return <Loading />;
  if (session.data.done) return <Empty whole title="The mailbox is connected">This link was used. You can close this window.</Empty>;
  const offered = info.data.providers.filter(({ id }) => !session.data.provider || id === session.data.provider);
  if (offered.length === 0) return <Empty whole title="This mailbox cannot be connected here">Its provider is not offered by this system.</Empty>;
  return <Offer api={api} session={session.data} offered={offered} token={token} resumed={resumed} />;
}

type OfferProps = { api: Api; session: CurrentConnectSession; offered: OfferedProvider[]; token: string; resumed: Resumed };

function Offer({ api, session, offered, token, resumed }: OfferProps) {
  const before = offered.find(({ connect }) => connect === resumed?.pending?.connect);
  const [provider, setProvider] = useState(before ?? (offered.length === 1 ? offered[0] : undefined));
  const repairs = session.connector;
  return (
    <>
      <h1>{repairs ? 'Reconnect your mailbox' : 'Connect your mailbox'}</h1>
      <p>
        <strong className={s.origin}>{session.origin}</strong>{' '}
        {repairs ? (
          <>
            asks you to sign in again for <strong className={s.origin}>{repairs.email_address}</strong>.
          </>
        ) : (
          'asks for access to a mailbox of yours.'
        )}
      </p>
      {provider ? (
        <Consent api={api} session={session} provider={provider} token={token} resumed={resumed} />
      ) : (
        <div className={s.choices}>
          <p className={s.quiet}>Where is the mailbox?</p>
          {offered.map((each) => (
            <Button key={each.id} onClick={() => setProvider(each)}>
              {each.name}
            </Button>
          ))}
        </div>
      )}
    </>
  );
}

type ConsentProps = { api: Api; session: CurrentConnectSession; provider: OfferedProvider; token: string; resumed: Resumed };

function Consent({ api, session, provider, token, resumed }: ConsentProps) {
  const { origin } = session;
  const [heard, setHeard] = useState(false);
  // What the opener hears last: null until something failed; `told` once it heard an end.
  const told = useRef(false);
  const lastCode = useRef<string | null>(null);
  const consent = useConsent({
    api,
    provider,
    session: token,
    loginHint: session.connector?.email_address,
    onConnected: ({ connector_id, email_address }) => {
      told.current = true;
      setHeard(tell({ type: 'email-connectors:connected', connector_id, email_address }, origin));
    },
  });
  const { step, resume } = consent;

  const begun = useRef(false);
  useEffect(() => {
    if (!resumed || begun.current) return;
    begun.current = true;
    resume(resumed.returned, false);
  }, [resumed, resume]);

  useEffect(() => {
    if (step.is === 'failed') lastCode.current = step.outcome.code;
    if (step.is !== 'connected' || !heard) return;
    const timer = setTimeout(() => window.close(), CLOSES_AFTER_MS);
    return () => clearTimeout(timer);
  }, [step, heard]);

  const sayLeaving = useRef(() => {
    if (told.current) return;
    told.current = true;
    tell(leaving(lastCode.current), origin);
  });
  useEffect(() => {
    const say = () => sayLeaving.current();
    window.addEventListener('pagehide', say);
    return () => window.removeEventListener('pagehide', say);
  }, []);
  const cancel = () => {
    sayLeaving.current();
    window.close();
    setCancelled(true);
  };
  const [cancelled, setCancelled] = useState(false);

  if (cancelled) return <Notice>Nothing was connected. You can close this window.</Notice>;
  if (step.is === 'connected') {
    return (
      <Notice tone="good">
        <strong>{step.connected.email_address} is connected</strong>
        <span>{heard ? 'This window closes by itself.' : 'You can close this window and go back.'}</span>
      </Notice>
    );
  }
  const openHere = () => {
    // It goes on in this tab: the opener is not told that the person left.
    told.current = true;
    consent.openHere();
  };
  return (
    <>
      {step.is === 'idle' && (
        <p className={s.quiet}>
          {session.connector
            ? `A window of ${provider.name} opens. Choose ${session.connector.email_address} and allow the access.`
            : `A window of ${provider.name} opens. Choose the account and allow all that is asked for. If there are boxes, tick each.`}
        </p>
      )}
      <ConsentSteps consent={{ ...consent, openHere }} />
      <div className={s.choices}>
        {step.is === 'idle' && (
          <Button look="primary" onClick={() => void consent.ask()}>
            Continue to {provider.name}
          </Button>
        )}
        {step.is !== 'connecting' && <Button onClick={cancel}>Cancel</Button>}
      </div>
    </>
  );
}
