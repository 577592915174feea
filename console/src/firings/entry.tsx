// One firing: its mail, its event, the way to the message.
import type { Trigger, TriggerFired } from 'email-connectors-client';
import { useState } from 'react';
import { Link } from 'react-router';
import { Badge, Json, RelativeTime } from '../ui';
import { Sender, Stranger, Subject } from '../ui/stranger';
import { Sentence } from '../triggers/sentence';
import s from './firings.module.css';
import type { Listed } from './kept';

type Props = { firing: Listed; trigger: Trigger | undefined; isNew: boolean; withTrigger: boolean };

export function Entry({ firing, trigger, isNew, withTrigger }: Props) {
  const { detail } = firing;
  return (
    <li className={s.entry} data-new={isNew || undefined}>
      <div className={s.what}>
        {detail ? <What detail={detail} /> : <code className={s.id}>{firing.message_id ?? firing.event_id}</code>}
        <div className={s.facts}>
          {isNew && <Badge tone="good">new</Badge>}
          <RelativeTime at={firing.decided_at} />
          {firing.published ? <Badge>published</Badge> : <Badge tone="warn">not published yet</Badge>}
          {withTrigger && trigger && (
            <Link className={s.trigger} to={`/triggers/${trigger.id}`}>
              <Sentence trigger={trigger} />
            </Link>
          )}
        </div>
      </div>
      <div className={s.ways}>{detail && firing.message_id && <ToMessage firing={firing} trigger={trigger} />}</div>
      {detail && <Event detail={detail} id={firing.event_id} />}
      {!detail && firing.message_id && (
        <div className={s.facts}>
          event <code className={s.id}>{firing.event_id}</code>
        </div>
      )}
    </li>
  );
}

function What({ detail }: { detail: TriggerFired }) {
  if ('message' in detail) {
    return (
      <>
        <div className={s.subject}>
          <Subject text={detail.message.subject} />
        </div>
        <Sender address={detail.message.from} short />
      </>
    );
  }
  const { event_type, resource_type, resource_id } = detail.event;
  return (
    <>
      <div className={s.subject}>
        <Stranger text={event_type} />
      </div>
      <span className={s.quiet}>
        From your own systems{resource_type ? ': ' : ''}
        {resource_type && <Stranger text={[resource_type, resource_id].filter(Boolean).join(' ')} />}
      </span>
    </>
  );
}

function ToMessage({ firing, trigger }: { firing: Listed; trigger: Trigger | undefined }) {
  const connector = firing.connector_id ?? trigger?.config.connector_id;
  if (!connector || !firing.message_id) return null;
  return (
    <Link to={`/mail/messages/${encodeURIComponent(firing.message_id)}?connector=${encodeURIComponent(connector)}`}>
      Open the message
    </Link>
  );
}

/** Written out only once it is opened: a list has many. */
function Event({ detail, id }: { detail: TriggerFired; id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={s.event} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Event</summary>
      {isOpen && <Json value={detail} what={`event ${id}`} />}
    </details>
  );
}
