// The page of somebody who is not signed in, or of whom that is not known yet.
import { useState, type ReactNode } from 'react';
import { peekResumed } from '../consent/handover';
import { Button, Logo, Notice, Problem } from '../ui';
import { useSession } from './context';
import s from './session.module.css';

export function SignIn({ reason, failed }: { reason?: string | undefined; failed?: unknown }) {
  const session = useSession();
  const [error, setError] = useState(failed);
  const [busy, setBusy] = useState(false);
  const signIn = () => {
    setBusy(true);
    setError(undefined);
    session.signIn(peekResumed()).catch((refusal: unknown) => {
      setError(refusal);
      setBusy(false);
    });
  };
  return (
    <Welcome>
      {reason && <Notice>{reason}</Notice>}
      {error !== undefined && <Problem error={error} />}
      <Button look="primary" busy={busy} onClick={signIn}>
        Sign in
      </Button>
    </Welcome>
  );
}

/** The same page before it is known who looks, so that nothing moves then. */
export function Starting({ what }: { what: string }) {
  return (
    <Welcome>
      <div role="status" className={s.starting}>
        <Button look="primary" busy>
          {what}…
        </Button>
      </div>
    </Welcome>
  );
}

function Welcome({ children }: { children: ReactNode }) {
  return (
    <main className={s.page}>
      <div className={s.card}>
        <Logo size={40} />
        <h1>email-connectors</h1>
        <p>Connect mailboxes, see how they are, and decide which mail starts what.</p>
        {children}
      </div>
    </main>
  );
}
