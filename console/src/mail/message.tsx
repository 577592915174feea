// A message that is open: who and when, what is known of the sender, its text, its files.
import type { Attachment, Address, Message } from 'email-connectors-client';
import { lazy, Suspense, useState } from 'react';
import { useMay } from '../api/me';
import { asProblem } from '../api/problem';
import type { Connector } from '../connectors/connector';
import { Badge, Button, ButtonLink, exact, Loading, Notice, Problem } from '../ui';
import { Sender, Stranger, Subject } from '../ui/stranger';
import { mayRun, safeName, sizeInWords } from './files';
import s from './mail.module.css';
import { useDownload, useEmbedded, useMessage } from './queries';
import { answersElsewhere, automaticInWords, senderVerdict } from './verdict';

/** With its sanitiser: only who opens HTML needs it. */
const MailFrame = lazy(() => import('./frame'));

/** HTML beyond this is shown as text first: it takes a browser seconds, and nobody has read so much. */
const LARGE = 400_000;
/** Text beyond this is cut until it is asked for. */
const LONG = 100_000;

export function MessageBody({ connector, listed }: { connector: Connector; listed: Message }) {
  const read = useMessage(connector.id, listed.id);
  // Labels are fresher in the list.
  const message: Message = read.data ? { ...read.data, label_ids: listed.label_ids } : listed;
  const mayWrite = useMay('write_mail');
  const writing = (how: string) =>
    `/mail/compose?connector=${encodeURIComponent(connector.id)}&how=${how}&about=${encodeURIComponent(message.id)}`;
  return (
    <div className={s.messageBody}>
      <Headers message={message} />
      {read.isPending && <Loading what="Reading the message" />}
      {read.error && (
        <Problem
          error={read.error}
          onRetry={asProblem(read.error).code === 'message_unreadable' ? undefined : () => void read.refetch()}
        />
      )}
      {read.data && <Content connector={connector} message={message} />}
      {read.data && (message.attachments?.length ?? 0) > 0 && <Files connector={connector} message={message} />}
      {mayWrite && (
        <div className={s.toolbar} role="group" aria-label="Answer">
          <ButtonLink small to={writing('reply')}>
            Reply
          </ButtonLink>
          <ButtonLink small to={writing('reply-all')}>
            Reply to all
          </ButtonLink>
          <ButtonLink small to={writing('forward')}>
            Forward
          </ButtonLink>
        </div>
      )}
    </div>
  );
}

function Headers({ message }: { message: Message }) {
  const verdict = senderVerdict(message);
  const automatic = automaticInWords(message);
  return (
    <dl className={s.headers}>
      <dt>Subject</dt>
      <dd>
        <Subject text={message.subject} />
      </dd>
      <People name="To" addresses={message.to} />
      <People name="Cc" addresses={message.cc} />
      <People name="Bcc" addresses={message.bcc ?? []} />
      <People name="Answers to" addresses={message.reply_to} warn={answersElsewhere(message)} />
      <dt>Received</dt>
      <dd>
        <time dateTime={message.timestamp}>{exact(message.timestamp)}</time>
      </dd>
      {verdict && (
        <>
          <dt>Sender</dt>
          <dd className={s.verdict}>
            <Badge tone={verdict.tone}>{verdict.word}</Badge> <Stranger text={verdict.text} />
          </dd>
        </>
      )}
      {automatic && (
        <>
          <dt>Automatic</dt>
          <dd>
            <Stranger text={automatic} />
          </dd>
        </>
      )}
    </dl>
  );
}

/** A list that is longer is cut until it is asked for. */
const FEW = 8;

function People({ name, addresses, warn }: { name: string; addresses: Address[]; warn?: boolean }) {
  const [all, setAll] = useState(false);
  if (addresses.length === 0) return null;
  const shown = all ? addresses : addresses.slice(0, FEW);
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <ul className={s.people}>
          {shown.map((address, at) => (
            <li key={at}>
              <Sender address={address} />
            </li>
          ))}
        </ul>
        {shown.length < addresses.length && (
          <Button small look="quiet" onClick={() => setAll(true)}>
            and {addresses.length - shown.length} more
          </Button>
        )}
        {warn && <Badge tone="warn">another domain than the sender's</Badge>}
      </dd>
    </>
  );
}

function Content({ connector, message }: { connector: Connector; message: Message }) {
  const html = message.body?.html ?? '';
  const text = message.body?.text ?? '';
  const isLarge = html.length > LARGE;
  const [as, setAs] = useState<'html' | 'text'>(html !== '' && !isLarge ? 'html' : 'text');
  const embedded = useEmbedded(connector.id, message, as === 'html');
  if (html === '' && text === '') {
    return (
      <Notice>
        {message.body
          ? 'This message has no text.'
          : 'Its text cannot be read: the mailbox was connected for headers only.'}
      </Notice>
    );
  }
  return (
    <>
      {isLarge && as === 'text' && (
        <div className={s.bar}>
          <span>
            This message has {sizeInWords(html.length)} of HTML. Its text is shown; the whole may take seconds.
          </span>
          <Button small onClick={() => setAs('html')}>
            Show the whole
          </Button>
        </div>
      )}
      {html !== '' && (!isLarge || as === 'html') && (
        <div className={s.as}>
          <Button small look="quiet" onClick={() => setAs(as === 'html' ? 'text' : 'html')}>
            {as === 'html' ? 'Show as plain text' : 'Show with formatting'}
          </Button>
        </div>
      )}
      {as === 'html' ? (
        <Suspense fallback={<Loading what="Making the message harmless" />}>
          <MailFrame html={html} embedded={embedded} title="Text of the message" />
        </Suspense>
      ) : (
        <PlainText text={text} />
      )}
    </>
  );
}

function PlainText({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  if (text === '') return <p className={s.quiet}>This message has no plain text.</p>;
  return (
    <>
      <div className={s.text} dir="auto">
        {unturned(whole ? text : text.slice(0, LONG))}
      </div>
      {!whole && text.length > LONG && (
        <Button small onClick={() => setWhole(true)}>
          Show all {sizeInWords(text.length)} of text
        </Button>
      )}
    </>
  );
}

/** What makes a line read backwards is shown; marks that right-to-left writing needs stay. */
function unturned(text: string): string {
  return text.replace(/[\u202d\u202e]/g, (sign) => (sign === '\u202e' ? '[RLO]' : '[LRO]'));
}

function Files({ connector, message }: { connector: Connector; message: Message }) {
  const files = message.attachments ?? [];
  return (
    <section className={s.files} aria-label="Attachments">
      <h3>
        {files.length} {files.length === 1 ? 'attachment' : 'attachments'}
      </h3>
      <ul>
        {files.map((file) => (
          <File key={file.part_id} connector={connector} message={message} file={file} />
        ))}
      </ul>
    </section>
  );
}

function File({ connector, message, file }: { connector: Connector; message: Message; file: Attachment }) {
  const download = useDownload(connector.id, message.id);
  const name = safeName(file.filename, file.mime_type);
  return (
    <li className={s.file}>
      <div className={s.fileName}>
        <strong>{file.filename === '' ? name : <Stranger text={file.filename} />}</strong>
        <span className={s.quiet}>
          {sizeInWords(file.size ?? undefined)}, <Stranger text={file.mime_type} />
        </span>
        {name !== file.filename && file.filename !== '' && <span className={s.quiet}>saved as {name}</span>}
        {mayRun(name) && <Badge tone="warn">can run as a program</Badge>}
      </div>
      <Button small busy={download.isPending} aria-label={`Download ${name}`} onClick={() => download.mutate(file)}>
        Download
      </Button>
      {download.error && <Problem error={download.error} />}
    </li>
  );
}
