// One connector: what is wrong and what to do, how fresh it is, what it may do, and what can be done with it.
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { asProblem } from '../api/problem';
import { Actions, Button, ButtonLink, CopyButton, Empty, Loading, PageHead, Problem, useToast } from '../ui';
import { useMay } from '../api/me';
import { ConnectDialog } from './connect-dialog';
import type { Connector } from './connector';
import s from './connectors.module.css';
import { DisconnectDialog } from './disconnect-dialog';
import { AtAGlance, Grant, Watch } from './facts';
import { Findings } from './findings';
import { useChange, useConnectorQuery, useHealth, useLookNow } from './queries';
import { RenameDialog } from './rename-dialog';
import { States } from './states';

export function Details() {
  const { id = '' } = useParams();
  const { data, error, refetch } = useConnectorQuery(id);
  // What was disconnected keeps its receipt on the screen, although the API no longer knows it.
  const gone = error && asProblem(error).status === 404 && !data;
  return (
    <>
      <p className={s.crumb}>
        <Link to="/connectors">Connectors</Link>
      </p>
      {gone && (
        <Empty title="There is no such connector" action={<ButtonLink to="/connectors">All connectors</ButtonLink>}>
          It was disconnected, or it is not yours.
        </Empty>
      )}
      {!data && error && !gone && <Problem error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading what="Loading the connector" />}
      {data && <Known connector={data} error={error} onRetry={() => void refetch()} />}
    </>
  );
}

type Open = 'connect' | 'rename' | 'disconnect' | null;

function Known({ connector, error, onRetry }: { connector: Connector; error: unknown; onRetry: () => void }) {
  const { id } = connector;
  const health = useHealth(id);
  const [open, setOpen] = useState<Open>(null);
  const may = { connect: useMay('connect'), operate: useMay('operate'), delete: useMay('delete'), read: useMay('read_mail') };
  const change = useChange(id);
  const look = useLookNow(id);
  const toast = useToast();
  const closing = Boolean(connector.closing);
  const broken = connector.status !== 'active';
  const [gone, setGone] = useState(false);

  const pause = () =>
    change.mutate(
      { paused: !connector.paused },
      { onSuccess: ({ paused }) => toast(paused ? 'Paused: mail that arrives now never fires.' : 'Resumed: new mail fires again.') },
    );
  const lookNow = () => look.mutate(undefined, { onSuccess: () => toast('The mailbox is being looked at. What it finds shows within seconds.') });
  const failed = change.error ?? look.error;
  const lost = !gone && error;

  return (
    <>
      <PageHead
        title={connector.label ?? connector.email_address}
        text={
          <div className={s.headState}>
            <States connector={connector} />
            {connector.label && <span>{connector.email_address}</span>}
          </div>
        }
        actions={
          !closing &&
          !gone && (
            <Actions>
              {may.connect && (
                <Button look={broken ? 'primary' : 'plain'} onClick={() => setOpen('connect')}>
                  Reconnect
                </Button>
              )}
              {may.operate && (
                <>
                  {!broken && (
                    <Button busy={look.isPending} onClick={lookNow}>
                      Look now
                    </Button>
                  )}
                  <Button busy={change.isPending} onClick={pause}>
                    {connector.paused ? 'Resume' : 'Pause'}
                  </Button>
                  <Button onClick={() => setOpen('rename')}>Rename</Button>
                </>
              )}
              {may.delete && <Button onClick={() => setOpen('disconnect')}>Disconnect</Button>}
            </Actions>
          )
        }
      />
      <div className={s.stack}>
        {lost ? <Problem error={error} onRetry={onRetry} /> : null}
        {failed && open === null && <Problem error={failed} />}
        {!gone && (
          <>
            <Findings
              connector={connector}
              health={health}
              act={{
                ...(may.connect && { reconnect: () => setOpen('connect') }),
                ...(may.operate && !broken && { lookNow }),
                ...(may.operate && { resume: pause }),
              }}
            />
            <div className={s.columns}>
              <AtAGlance connector={connector} health={health.data} mayRead={may.read} />
              <Watch connector={connector} health={health.data} />
              <Grant connector={connector} health={health.data} />
            </div>
            <p className={s.second}>
              Id <code>{id}</code> <CopyButton text={id} what="the connector's id" />
            </p>
          </>
        )}
      </div>
      {open === 'connect' && <ConnectDialog again={connector} onClose={() => setOpen(null)} />}
      {open === 'rename' && <RenameDialog connector={connector} onClose={() => setOpen(null)} />}
      {open === 'disconnect' && <DisconnectDialog connector={connector} onGone={() => setGone(true)} onClose={() => setOpen(null)} />}
    </>
  );
}
