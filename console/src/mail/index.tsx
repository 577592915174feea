// The mail of a mailbox: found, read, labelled, answered.
import { lazy, Suspense } from 'react';
import { Navigate, Route, Routes, useParams, useSearchParams } from 'react-router';
import { useMay } from '../api/me';
import { ChooseFirst, useConnector } from '../connectors/picker';
import { ConnectorPicker } from '../connectors/picker';
import type { Connector } from '../connectors/connector';
import { ButtonLink, Empty, Forbidden, Loading, PageHead, Problem } from '../ui';
import { Drafts } from './drafts';
import { useMessage } from './queries';
import { Found } from './search';
import { ThreadView } from './thread';

const Compose = lazy(() => import('./compose-view'));

export default function Mail() {
  const chosen = useConnector();
  const { connector } = chosen;
  if (chosen.connectors.length === 0) {
    return (
      <>
        <PageHead title="Mail" />
        <ConnectorPicker chosen={chosen} />
      </>
    );
  }
  if (!connector) {
    return (
      <>
        <PageHead title="Mail" />
        <ChooseFirst chosen={chosen} what="Its mail is shown here." />
      </>
    );
  }
  return (
    <Routes>
      <Route index element={<Found key={connector.id} chosen={chosen} connector={connector} />} />
      <Route path="threads/:id" element={<Thread connector={connector} />} />
      <Route path="messages/:id" element={<ToThread connector={connector} />} />
      <Route path="drafts" element={<Drafts key={connector.id} connector={connector} />} />
      <Route path="compose" element={<Writing connector={connector} />} />
      <Route path="*" element={<Navigate to="/mail" replace />} />
    </Routes>
  );
}

function Thread({ connector }: { connector: Connector }) {
  const { id = '' } = useParams();
  return <ThreadView key={id} connector={connector} id={id} />;
}

/** From a message, as a firing names it, to its thread. */
function ToThread({ connector }: { connector: Connector }) {
  const { id = '' } = useParams();
  const [search] = useSearchParams();
  const message = useMessage(connector.id, id);
  if (message.data) {
    const to = new URLSearchParams(search);
    to.set('message', id);
    return <Navigate to={`/mail/threads/${encodeURIComponent(message.data.thread_id)}?${to.toString()}`} replace />;
  }
  if (message.error) {
    return (
      <>
        <PageHead title="Message" />
        {'status' in message.error && message.error.status === 404 ? (
          <Empty
            title="The message is gone"
            action={<ButtonLink to={`/mail?connector=${connector.id}`}>All mail</ButtonLink>}
          >
            It was deleted for good, or belongs to another mailbox.
          </Empty>
        ) : (
          <Problem error={message.error} onRetry={() => void message.refetch()} />
        )}
      </>
    );
  }
  return <Loading what="Looking for the message" />;
}

function Writing({ connector }: { connector: Connector }) {
  const [search] = useSearchParams();
  if (!useMay('write_mail')) return <Forbidden>Only a role that may write mail can send it.</Forbidden>;
  return (
    <Suspense fallback={<Loading />}>
      <Compose key={search.toString()} connector={connector} />
    </Suspense>
  );
}
