// The page of somebody who is not signed in.
import { useState } from 'react';
import { peekResumed } from '../consent/handover';
import { Button, Notice, Problem, Logo } from '../ui';
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
    <main className={s.page}>
      <div className={s.card}>
        <Logo size={40} />
        <h1>email-connectors</h1>
        <p>Connect mailboxes, see how they are, and decide which mail starts what.</p>
        {reason && <Notice>{reason}</Notice>}
        {error !== undefined && <Problem error={error} />}
        <Button look="primary" busy={busy} onClick={signIn}>
          Sign in
        </Button>
      </div>
    </main>
  );
}
