// What fired: newest first, and new ones come by themselves.
import type { Trigger } from 'email-connectors-client';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useMay } from '../api/me';
import { nameOf } from '../connectors/connector';
import { useConnectors } from '../connectors/queries';
import {
  Actions,
  Button,
  ButtonLink,
  Empty,
  Loading,
  Notice,
  PageHead,
  Panel,
  Problem,
  Rows,
  SelectField,
} from '../ui';
import { inWords } from '../triggers/words';
import { Entry } from './entry';
import s from './firings.module.css';
import type { Listed } from './kept';
import { useFirings, useTriggers } from './queries';

export default function Firings() {
  const triggers = useTriggers();
  const connectors = useConnectors();
  const [search] = useSearchParams();
  const all = triggers.data ?? [];
  const ofTrigger = search.get('trigger');
  const ofConnector = search.get('connector');
  const chosen = all.filter(
    ({ id, config }) => (!ofTrigger || id === ofTrigger) && (!ofConnector || config.connector_id === ofConnector),
  );
  return (
    <>
      <PageHead title="What fired" text="Events of the last thirty days, newest first." />
      {triggers.isPending && <Loading what="Reading the triggers" />}
      {triggers.error && !triggers.data && <Problem error={triggers.error} onRetry={() => void triggers.refetch()} />}
      {triggers.data && all.length === 0 && (
        <Empty
          title="There are no triggers"
          action={
            <ButtonLink look="primary" to={connectors.length === 0 ? '/connectors' : '/triggers/new'}>
              {connectors.length === 0 ? 'Connect a mailbox' : 'Make a trigger'}
            </ButtonLink>
          }
        >
          What a trigger fires appears here within seconds.
        </Empty>
      )}
      {all.length > 0 && (
        <>
          <Which triggers={all} trigger={ofTrigger} connector={ofConnector} />
          {chosen.length === 0 ? (
            <Empty title={ofTrigger ? 'There is no such trigger' : 'This mailbox has no triggers'}>
              Its firings are gone with it; the event archive of the stack still has them.
            </Empty>
          ) : (
            <List key={`${ofTrigger} ${ofConnector}`} triggers={chosen} />
          )}
        </>
      )}
    </>
  );
}

function Which({
  triggers,
  trigger,
  connector,
}: {
  triggers: Trigger[];
  trigger: string | null;
  connector: string | null;
}) {
  const connectors = useConnectors();
  const [, setSearch] = useSearchParams();
  const choose = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        // A trigger belongs to one mailbox.
        if (name === 'connector') before.delete('trigger');
        return before;
      },
      { replace: true },
    );
  const offered = triggers.filter(({ config }) => !connector || config.connector_id === connector);
  return (
    <div className={s.which}>
      {connectors.length > 1 && (
        <SelectField
          label="Mailbox"
          value={connector ?? ''}
          onChange={({ target }) => choose('connector', target.value)}
        >
          <option value="">All mailboxes</option>
          {connectors.map((each) => (
            <option key={each.id} value={each.id}>
              {nameOf(each)}
            </option>
          ))}
        </SelectField>
      )}
      <SelectField label="Trigger" value={trigger ?? ''} onChange={({ target }) => choose('trigger', target.value)}>
        <option value="">All triggers</option>
        {offered.map((each) => (
          <option key={each.id} value={each.id}>
            {calledShort(each)}
          </option>
        ))}
      </SelectField>
    </div>
  );
}

/** In a picker, where no label's name can be looked up. */
export function calledShort({ type, agent_id, config }: Trigger): string {
  const words = inWords(config.filters ?? {}, (id) => id).map(({ text }) => text);
  const rule = type === 'webhook' ? 'fired by your own systems' : words.join('; ') || 'every received message';
  return `${agent_id ? `${agent_id}: ` : ''}${rule}`.slice(0, 100);
}

function List({ triggers }: { triggers: Trigger[] }) {
  const { firings, open, older, isPending, error, refetch } = useFirings(triggers);
  const mayRead = useMay('read_mail');
  const [seen, setSeen] = useState<ReadonlySet<string>>();
  // What was there when the view was entered is not new.
  if (seen === undefined && !isPending) setSeen(new Set(firings.map(({ event_id }) => event_id)));
  const newest = seen && firings.length > 0 ? newOf(firings, seen) : [];
  const settle = () => setSeen(new Set(firings.map(({ event_id }) => event_id)));
  const byId = new Map(triggers.map((trigger) => [trigger.id, trigger]));
  if (isPending) return <Loading what="Reading what fired" />;
  return (
    <>
      {error !== undefined && error !== null && <Problem error={error} onRetry={refetch} />}
      {!mayRead && <Notice>Your role shows ids and times, not the mail.</Notice>}
      <div className={s.news}>
        <span role="status" aria-live="polite">
          {newest.length > 0 && `${newest.length} new`}
        </span>
        {newest.length > 0 && (
          <Button small look="quiet" onClick={settle}>
            Mark as seen
          </Button>
        )}
      </div>
      {firings.length === 0 && !error && (
        <Empty title="Nothing fired yet">
          Mail that matches appears here by itself. A dry run on the trigger shows what of the last days' mail would
          have fired.
        </Empty>
      )}
      {firings.length > 0 && (
        <Panel flush>
          <Rows label="What fired">
            {firings.map((firing) => (
              <Entry
                key={firing.event_id}
                firing={firing}
                trigger={byId.get(firing.triggerId)}
                isNew={newest.includes(firing)}
                withTrigger={triggers.length > 1}
              />
            ))}
          </Rows>
        </Panel>
      )}
      {older.error && <Problem error={older.error} onRetry={() => older.mutate(open)} />}
      {open.length > 0 && (
        <div className={s.more}>
          <Actions>
            <Button busy={older.isPending} onClick={() => older.mutate(open)}>
              Show older ones
            </Button>
          </Actions>
        </div>
      )}
    </>
  );
}

/** Those above all that was seen. Older ones that are read on are not new. */
function newOf(firings: Listed[], seen: ReadonlySet<string>): Listed[] {
  const first = firings.findIndex(({ event_id }) => seen.has(event_id));
  return seen.size === 0 ? firings : firings.slice(0, Math.max(0, first));
}
