// The triggers of all mailboxes, or of one.
import type { Trigger } from 'email-connectors-client';
import { Link, useSearchParams } from 'react-router';
import { useMay } from '../api/me';
import { nameOf, type Connector } from '../connectors/connector';
import { useConnectors } from '../connectors/queries';
import { Badge, ButtonLink, Empty, Loading, PageHead, Panel, Problem, RelativeTime, Rows, SelectField } from '../ui';
import { Stranger } from '../ui/stranger';
import { useTriggers } from './queries';
import s from './triggers.module.css';
import { Sentence } from './sentence';

export function TriggerList() {
  const connectors = useConnectors();
  const triggers = useTriggers();
  const mayOperate = useMay('operate');
  const [search, setSearch] = useSearchParams();
  const chosen = connectors.find(({ id }) => id === search.get('connector'));
  const shown = chosen ? [chosen] : connectors;
  const toNew = `new${chosen ? `?connector=${encodeURIComponent(chosen.id)}` : ''}`;
  const makeNew = mayOperate && connectors.length > 0 && (
    <ButtonLink look="primary" to={toNew}>
      New trigger
    </ButtonLink>
  );
  return (
    <>
      <PageHead title="Triggers" text="Which mail fires, and for which agent." actions={makeNew} />
      {triggers.error && <Problem error={triggers.error} onRetry={() => void triggers.refetch()} />}
      {connectors.length === 0 && (
        <Empty
          title="No mailbox is connected"
          action={
            <ButtonLink look="primary" to="/connectors">
              Connect a mailbox
            </ButtonLink>
          }
        >
          A trigger belongs to a mailbox: connect one first.
        </Empty>
      )}
      {connectors.length > 1 && (
        <div className={s.pick}>
          <SelectField
            label="Mailbox"
            value={chosen?.id ?? ''}
            onChange={({ target }) => setSearch(target.value ? { connector: target.value } : {}, { replace: true })}
          >
            <option value="">All mailboxes</option>
            {connectors.map((each) => (
              <option key={each.id} value={each.id}>
                {nameOf(each)}
              </option>
            ))}
          </SelectField>
        </div>
      )}
      {triggers.isPending && connectors.length > 0 && <Loading what="Reading the triggers" />}
      {triggers.data && connectors.length > 0 && triggers.data.length === 0 && (
        <Empty title="No triggers yet" action={makeNew}>
          A trigger says which mail is worth an event. You see what it would have fired before you save it.
        </Empty>
      )}
      {triggers.data && triggers.data.length > 0 && (
        <div className={s.panels}>
          {shown.map((connector) => (
            <OfConnector
              key={connector.id}
              connector={connector}
              triggers={triggers.data.filter(({ config }) => config.connector_id === connector.id)}
            />
          ))}
        </div>
      )}
    </>
  );
}

function OfConnector({ connector, triggers }: { connector: Connector; triggers: Trigger[] }) {
  return (
    <Panel title={nameOf(connector)} flush>
      {triggers.length === 0 ? (
        <p className={s.nothing}>This mailbox has no triggers.</p>
      ) : (
        <Rows label={`Triggers of ${nameOf(connector)}`}>
          {triggers.map((trigger) => (
            <Row key={trigger.id} trigger={trigger} />
          ))}
        </Rows>
      )}
    </Panel>
  );
}

function Row({ trigger }: { trigger: Trigger }) {
  const mayOperate = useMay('operate');
  return (
    <li className={s.row}>
      <div className={s.rowText}>
        <Link className={s.rowTitle} to={trigger.id}>
          <Sentence trigger={trigger} />
        </Link>
        <div className={s.rowFacts}>
          <Badge>{trigger.type === 'webhook' ? 'webhook' : 'mail'}</Badge>
          {trigger.agent_id ? (
            <span>
              for <Stranger text={trigger.agent_id} />
            </span>
          ) : (
            <span>no agent named</span>
          )}
          <span>
            made <RelativeTime at={trigger.created_at} />
          </span>
        </div>
      </div>
      <div className={s.rowActions}>
        <ButtonLink
          small
          to={`/firings?trigger=${encodeURIComponent(trigger.id)}`}
          aria-label={`What fired: ${trigger.id}`}
        >
          What fired
        </ButtonLink>
        <ButtonLink small to={trigger.id} aria-label={`${mayOperate ? 'Change' : 'Look at'} ${trigger.id}`}>
          {mayOperate ? 'Change' : 'Look at'}
        </ButtonLink>
      </div>
    </li>
  );
}
