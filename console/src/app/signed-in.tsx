// Configuration, then the session, then the shell with its rooms.
import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { Navigate, Route, Routes, useNavigate } from 'react-router';
import { ApiProvider, createApi } from '../api/client';
import { keys } from '../api/keys';
import { resumeWith, type Resumed } from '../consent/handover';
import { SessionProvider, useSession, useSessionState } from '../session/context';
import { EndedDialog } from '../session/ended';
import { Session } from '../session/session';
import styles from '../session/session.module.css';
import { SignIn, Starting } from '../session/sign-in';
import { Problem } from '../ui';
import { base } from './base';
import { loadConfig } from './config';
import { rooms } from './routes';
import { RoomView, Shell } from './shell';

function queryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The client repeats reads by itself.
        retry: false,
        staleTime: 2_000,
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
}

export default function SignedIn() {
  const [client] = useState(queryClient);
  return (
    <QueryClientProvider client={client}>
      <Configured />
    </QueryClientProvider>
  );
}

function Configured() {
  const config = useQuery({ queryKey: ['config'], queryFn: loadConfig, staleTime: Infinity, retry: 1 });
  const session = useMemo(() => (config.data ? new Session(config.data) : null), [config.data]);
  const api = useMemo(() => (session ? createApi(session) : null), [session]);
  if (config.error) {
    return (
      <main className={styles.page}>
        <Problem error={config.error} onRetry={() => void config.refetch()} />
      </main>
    );
  }
  if (!session || !api) return <Starting what="Loading" />;
  return (
    <SessionProvider value={session}>
      <ApiProvider value={api}>
        <Started />
      </ApiProvider>
    </SessionProvider>
  );
}

let started: Session | null = null;

function Started() {
  const session = useSession();
  const state = useSessionState();
  const navigate = useNavigate();
  const [failed, setFailed] = useState<unknown>();
  const returning = location.pathname === `${base.console}/auth/callback`;

  useEffect(() => {
    // Once per session, also where React runs effects twice: an authorization code is good once.
    if (started === session) return;
    started = session;
    if (!returning) {
      void session.start();
      return;
    }
    session.finishSignIn().then(
      ({ back, carry }) => {
        // A consent that came back while nobody was signed in goes on now.
        if (carry) resumeWith(carry as Resumed);
        const path = back?.startsWith(`${base.console}/`) ? back.slice(base.console.length) : '/';
        void navigate(path, { replace: true });
      },
      (error: unknown) => setFailed(error),
    );
  }, [session, returning, navigate]);

  // A new token may carry another role.
  const client = useQueryClient();
  useEffect(() => {
    if (state.is === 'signed-in') void client.invalidateQueries({ queryKey: keys.me });
  }, [state, client]);

  if (failed) return <SignIn failed={failed} />;
  if (state.is === 'starting') return <Starting what="Signing in" />;
  if (state.is === 'signed-out') return <SignIn reason={state.reason} />;
  return (
    <>
      <Shell>
        <Routes>
          <Route index element={<Navigate to="/connectors" replace />} />
          {rooms.map((room) => (
            <Route key={room.path} path={`${room.path}/*`} element={<RoomView room={room} />} />
          ))}
          <Route path="*" element={<Navigate to="/connectors" replace />} />
        </Routes>
      </Shell>
      {state.is === 'ended' && <EndedDialog />}
    </>
  );
}
