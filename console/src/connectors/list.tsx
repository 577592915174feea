// All connectors: what needs somebody first.
import { useState } from 'react';
import { Link } from 'react-router';
import { useMay } from '../api/me';
import { Button, Empty, Loading, PageHead, Panel, Problem, RelativeTime } from '../ui';
import { ConnectDialog } from './connect-dialog';
import { type Connector } from './connector';
import s from './connectors.module.css';
import { useConnectorList, useHealths, useProviderName } from './queries';
import { useResumed } from './resume';
import { States } from './states';

export function List() {
  const list = useConnectorList();
  const may = useMay('connect');
  const { resumed, forget } = useResumed();
  const [connecting, setConnecting] = useState(resumed !== null);
  const close = () => {
    setConnecting(false);
    forget();
  };
  const connect = may && (
    <Button look="primary" onClick={() => setConnecting(true)}>
      Connect a mailbox
    </Button>
  );
  const connectors = list.data;
  return (
    <>
      <PageHead
        title="Connectors"
        text="The mailboxes that are watched for new mail."
        actions={connectors && connectors.length > 0 ? connect : undefined}
      />
      <div className={s.stack}>
        {list.error && <Problem error={list.error} onRetry={() => void list.refetch()} />}
        {!connectors && !list.error && <Loading what="Loading the connectors" />}
        {connectors && connectors.length === 0 && (
          <Panel flush>
            <Empty title="Connect your first mailbox" action={connect}>
              {may
                ? 'You choose an account and allow access; new mail is watched from then on. Then make a trigger, which says what mail starts what.'
                : 'No mailbox is connected yet, and your role does not allow connecting one. Ask whoever manages your account.'}
            </Empty>
          </Panel>
        )}
        {connectors && connectors.length > 0 && <Rows connectors={connectors} />}
      </div>
      {connecting && may && <ConnectDialog resumed={resumed} onClose={close} />}
    </>
  );
}

function Rows({ connectors }: { connectors: Connector[] }) {
  const healths = useHealths(connectors);
  const nameOfProvider = useProviderName();
  return (
    <Panel flush>
      <ul className={s.list} aria-label="Connectors">
        {connectors.map((connector) => {
          const health = healths.get(connector.id);
          const findings = health?.findings.filter(({ severity }) => severity !== 'note').length ?? 0;
          return (
            <li key={connector.id} className={s.row}>
              <div className={s.who}>
                <Link className={s.address} to={connector.id}>
                  {connector.label ?? connector.email_address}
                </Link>
                <div className={s.second}>
                  {connector.label && <>{connector.email_address} · </>}
                  {nameOfProvider(connector.provider)}
                </div>
              </div>
              <div className={s.state}>
                <States connector={connector} />
                {findings > 0 && (
                  <Link className={s.findings} to={connector.id}>
                    {findings === 1 ? '1 finding' : `${findings} findings`}
                  </Link>
                )}
              </div>
              <div className={s.when}>
                <span className={s.second}>Looked at</span>{' '}
                {health ? <RelativeTime at={health.freshness.last_looked_at} none="not yet" /> : '…'}
              </div>
              <div className={s.when}>
                <span className={s.second}>Last event</span> <RelativeTime at={connector.last_event_at} none="none yet" />
              </div>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
