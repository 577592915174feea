// The session ended in the middle of something: the page below stays as it is, and goes on after the sign-in.
import { useState } from 'react';
import { Button, Dialog, DialogActions, Notice } from '../ui';
import { useSession } from './context';

export function EndedDialog() {
  const session = useSession();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const again = () => {
    setBusy(true);
    setFailed(false);
    session
      .signInAgain()
      .catch(() => setFailed(true))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="Your session ended">
      <p>Sign in again in a small window. Nothing that you typed is lost, and what you started continues by itself.</p>
      {failed && <Notice tone="bad">You are not signed in yet. If no window opened, allow popups for this page.</Notice>}
      <DialogActions>
        <Button onClick={() => void session.signOut()}>Sign out</Button>
        <Button look="primary" busy={busy} onClick={again}>
          Sign in again
        </Button>
      </DialogActions>
    </Dialog>
  );
}
