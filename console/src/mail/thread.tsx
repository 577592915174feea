// A thread: its messages, oldest first, and what can be done with all of them.
import type { Message } from 'email-connectors-client';
import { useEffect, useId, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { grouped, isFolder, useLabels } from '../api/labels';
import { useMay } from '../api/me';
import type { Connector } from '../connectors/connector';
import { Button, ButtonLink, exact, Loading, Notice, PageHead, Panel, Problem, RelativeTime, useToast } from '../ui';
import { Sender, Stranger } from '../ui/stranger';
import { asProblem } from '../api/problem';
import { MessageBody } from './message';
import { Clip } from './clip';
import s from './mail.module.css';
import { useChangeThread, useThread } from './queries';

export function ThreadView({ connector, id }: { connector: Connector; id: string }) {
  const thread = useThread(connector.id, id);
  const [params] = useSearchParams();
  if (thread.isPending) return <Loading what="Reading the thread" />;
  if (!thread.data) {
    return (
      <>
        <PageHead title="Thread" />
        <Problem
          error={thread.error}
          onRetry={() => void thread.refetch()}
          actions={
            asProblem(thread.error).status === 404 && (
              <ButtonLink small to={`/mail?connector=${encodeURIComponent(connector.id)}`}>
                All mail
              </ButtonLink>
            )
          }
        />
      </>
    );
  }
  const { messages, failed_ids: failed = [] } = thread.data;
  const named = params.get('message');
  const opened = messages.some((message) => message.id === named) ? named : messages.at(-1)?.id;
  const subject = messages[0]?.subject;
  return (
    <>
      <PageHead title={plain(subject)} text={<Labels connector={connector} threadId={id} messages={messages} />} />
      {thread.error && <Problem error={thread.error} onRetry={() => void thread.refetch()} />}
      <ol className={s.thread} aria-label={`${messages.length} messages, oldest first`}>
        {messages.map((message) => (
          <li key={message.id}>
            <OneMessage
              connector={connector}
              message={message}
              isOpenFirst={message.id === opened}
              isNamed={message.id === named}
            />
          </li>
        ))}
      </ol>
      {failed.length > 0 && (
        <Notice tone="warn">
          {failed.length === 1 ? 'One message' : `${failed.length} messages`} of this thread could not be read:{' '}
          <code>{failed.join(', ')}</code>
        </Notice>
      )}
    </>
  );
}

/** A heading and a tab's title take no markup: what is invisible in them is left out. */
function plain(subject: string | null | undefined): string {
  return subject?.replace(/[\p{Cc}\p{Cf}]/gu, '').trim() || '(no subject)';
}

/** Which labels nobody can put on or take off by hand, or that have a button of their own. */
const FIXED = new Set(['SENT', 'DRAFT', 'CHAT', 'SCHEDULED', 'TRASH', 'SPAM', 'UNREAD']);

function Labels({ connector, threadId, messages }: { connector: Connector; threadId: string; messages: Message[] }) {
  const id = useId();
  const navigate = useNavigate();
  const toast = useToast();
  const labels = useLabels(connector.id);
  const mayWrite = useMay('write_mail');
  const change = useChangeThread(connector.id, threadId);
  const on = [...new Set(messages.flatMap(({ label_ids }) => label_ids))];
  const has = (label: string) => on.includes(label);
  const isTrash = messages.length > 0 && messages.every(({ label_ids }) => label_ids.includes('TRASH'));
  const shown = on.filter((label) => label !== 'UNREAD' && label !== 'IMPORTANT').toSorted();
  const free = (labels.all ?? []).filter((label) => !has(label.id) && !FIXED.has(label.id));
  const hasFolders = (labels.all ?? []).some(({ id: label }) => isFolder(label));
  const put = (label: string) => {
    const moves = isFolder(label) || (hasFolders && label === 'INBOX');
    run({ add_label_ids: [label] }, `${moves ? 'Moved to' : 'Label on:'} ${labels.name(label)}.`);
  };
  const run = (what: Parameters<typeof change.mutate>[0], done: string, leave = false) =>
    change.mutate(what, {
      onSuccess: () => {
        toast(done);
        if (leave) void navigate(-1);
      },
    });
  return (
    <>
      <div className={s.labels}>
        {shown.map((label) => (
          <span key={label} className={s.label}>
            <Stranger text={labels.name(label)} />
            {mayWrite && !FIXED.has(label) && !isFolder(label) && (
              <button
                type="button"
                aria-label={`Take off the label ${labels.name(label)}`}
                disabled={change.isPending}
                onClick={() => run({ remove_label_ids: [label] }, `Label off: ${labels.name(label)}.`)}
              >
                ×
              </button>
            )}
          </span>
        ))}
      </div>
      {mayWrite && (
        <div className={s.toolbar} role="group" aria-label="The thread">
          {has('INBOX') && (
            <Button
              small
              busy={change.isPending}
              onClick={() => run({ remove_label_ids: ['INBOX'] }, 'The thread is archived.')}
            >
              Archive
            </Button>
          )}
          <Button
            small
            busy={change.isPending}
            onClick={() =>
              has('UNREAD')
                ? run({ remove_label_ids: ['UNREAD'] }, 'Marked as read.')
                : run({ add_label_ids: ['UNREAD'] }, 'Marked as unread.')
            }
          >
            {has('UNREAD') ? 'Mark as read' : 'Mark as unread'}
          </Button>
          {isTrash ? (
            <Button small busy={change.isPending} onClick={() => run('untrash', 'Out of the trash.')}>
              Out of the trash
            </Button>
          ) : (
            <Button small busy={change.isPending} onClick={() => run('trash', 'The thread is in the trash.', true)}>
              Trash
            </Button>
          )}
          <label className="visually-hidden" htmlFor={`${id}-add`}>
            {hasFolders ? 'Move to a folder, or put on a category' : 'Put on a label'}
          </label>
          <select
            id={`${id}-add`}
            className={s.addLabel}
            value=""
            disabled={change.isPending || free.length === 0}
            onChange={({ target }) => put(target.value)}
          >
            <option value="">{hasFolders ? 'Move or label…' : 'Label…'}</option>
            {grouped(free).map((group) => (
              <optgroup key={group.title} label={group.title}>
                {group.labels.map((label) => (
                  <option key={label.id} value={label.id}>
                    {labels.name(label.id)}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </div>
      )}
      {change.error && <Problem error={change.error} />}
    </>
  );
}

type MessageProps = { connector: Connector; message: Message; isOpenFirst: boolean; isNamed: boolean };

function OneMessage({ connector, message, isOpenFirst, isNamed }: MessageProps) {
  const [isOpen, setOpen] = useState(isOpenFirst);
  const at = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isNamed) at.current?.scrollIntoView({ block: 'nearest' });
  }, [isNamed]);
  const id = useId();
  return (
    <Panel flush>
      <article
        ref={at}
        className={s.message}
        aria-label={`From ${message.from?.name ?? message.from?.address ?? 'nobody'}, ${exact(message.timestamp)}`}
      >
        <h2 className={s.messageHead}>
          <button type="button" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
            <span className={s.messageWho}>
              <Sender address={message.from} short={!isOpen} />
            </span>
            <span className={s.messageTime}>
              {message.has_attachments && <Clip text="Has attachments" />}
              <RelativeTime at={message.timestamp} />
            </span>
            {!isOpen && (
              <span className={s.snippet}>
                <Stranger text={message.snippet} />
              </span>
            )}
          </button>
        </h2>
        <div id={id} hidden={!isOpen}>
          {isOpen && <MessageBody connector={connector} listed={message} />}
        </div>
      </article>
    </Panel>
  );
}
