// Where the provider returns to. In a window of ours: hand over and close. In the tab itself: go on from there.
import { useEffect, useState } from 'react';
import { ButtonLink, Empty, Loading } from '../ui';
import { Navigate } from 'react-router';
import { resumeWith } from './handover';
import { pendingOf } from './redirect';
import { handOver, returnedOf } from './returned';

const PATIENCE_MS = 3_000;
/** The page that asked is mostly another person's, in another browser. */
const ADMINISTRATOR_PATIENCE_MS = 500;

type Where = 'looking' | 'handed-over' | 'connect-page' | 'connectors' | 'nothing' | 'allowed' | 'not-allowed';

export default function Callback() {
  const [where, setWhere] = useState<Where>('looking');
  useEffect(() => {
    let alive = true;
    void arrive().then((found) => {
      if (alive) setWhere(found);
    });
    return () => {
      alive = false;
    };
  }, []);
  if (where === 'looking') return <Loading what="Handing over" />;
  if (where === 'connect-page') return <Navigate to="/connect" replace />;
  if (where === 'connectors') return <Navigate to="/connectors" replace />;
  // An administrator who was sent here from elsewhere needs no sign-in to read it.
  if (where === 'allowed') {
    return (
      <Empty whole title="Your organisation allows this app">
        Everybody in it can connect a mailbox now. You can close this window.
      </Empty>
    );
  }
  if (where === 'not-allowed') {
    return (
      <Empty whole title="The app was not allowed">
        Nothing was changed. You can close this window, or open the same address again.
      </Empty>
    );
  }
  if (where === 'handed-over') return <Empty whole title="Done">You can close this window.</Empty>;
  return (
    <Empty whole title="There is nothing to connect here" action={<ButtonLink to="/connectors">To the connectors</ButtonLink>}>
      This page takes the answer of a mail provider, and there is none in its address.
    </Empty>
  );
}

let arrival: Promise<Where> | undefined;

/** Once, also where React runs effects twice: the answer is removed from the address at the first look. */
function arrive(): Promise<Where> {
  arrival ??= look();
  return arrival;
}

async function look(): Promise<Where> {
  const returned = returnedOf(location.search);
  const { pathname } = location;
  history.replaceState(null, '', pathname);
  if (!returned) return 'nothing';
  if (returned.ofAdministrator) {
    if (await handOver(returned, ADMINISTRATOR_PATIENCE_MS)) window.close();
    return returned.error === undefined ? 'allowed' : 'not-allowed';
  }
  const pending = pendingOf(returned.state);
  if (!pending && (await handOver(returned, PATIENCE_MS))) {
    window.close();
    return 'handed-over';
  }
  // The page that asked is gone, or is this tab. The state is good for its owner only, so going on here is safe.
  resumeWith({ returned, pathname, pending });
  return pending?.session ? 'connect-page' : 'connectors';
}
