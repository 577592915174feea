// The session as React sees it.
import { createContext, use, useSyncExternalStore } from 'react';
import type { Session, State } from './session';

const SessionContext = createContext<Session | null>(null);
export const SessionProvider = SessionContext;

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('There is no session around this view.');
  return session;
}

export function useSessionState(): State {
  const session = useSession();
  return useSyncExternalStore(session.watch, session.snapshot);
}
