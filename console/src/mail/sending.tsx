// Before a mail is sent, and when that failed.
import type { Message } from 'email-connectors-client';
import { asProblem } from '../api/problem';
import type { Connector } from '../connectors/connector';
import { Button, ButtonLink, Dialog, DialogActions, Fact, Facts, Problem } from '../ui';
import { Sender, Stranger } from '../ui/stranger';
import type { Letter } from './compose';
import s from './mail.module.css';

export function Failed({ error, letter, connector }: { error: unknown; letter: Letter; connector: Connector }) {
  const { code } = asProblem(error);
  const query = new URLSearchParams({
    connector: connector.id,
    label: 'SENT',
    q: `subject:"${letter.subject.replace(/"/g, '')}"`,
  });
  return (
    <Problem
      error={error}
      actions={
        code === 'outcome_unknown' && (
          <ButtonLink small to={`/mail?${query.toString()}`}>
            Look into Sent
          </ButtonLink>
        )
      }
    />
  );
}

type SendingProps = {
  connector: Connector;
  message: Message;
  busy: boolean;
  onSend: () => void;
  onClose: () => void;
};

/** Names everybody whom the mail reaches, as the draft in the mailbox has them. */
export function Sending({ connector, message, busy, onSend, onClose }: SendingProps) {
  const bcc = message.bcc ?? [];
  const people = [...message.to, ...message.cc, ...bcc];
  const nobody = people.length === 0;
  const files = message.attachments?.length ?? 0;
  const list = (all: Message['to']) => (
    <ul className={s.people}>
      {all.map((address, at) => (
        <li key={at}>
          <Sender address={address} />
        </li>
      ))}
    </ul>
  );
  return (
    <Dialog title={nobody ? 'Nobody would get this' : 'Send this mail?'} onClose={busy ? undefined : onClose}>
      <Facts>
        <Fact name="From">
          <Sender address={message.from ?? { address: connector.email_address }} />
        </Fact>
        <Fact name="To">{message.to.length > 0 ? list(message.to) : 'nobody'}</Fact>
        {message.cc.length > 0 && <Fact name="Cc">{list(message.cc)}</Fact>}
        {bcc.length > 0 && <Fact name="Bcc">{list(bcc)}</Fact>}
        <Fact name="Subject">{message.subject ? <Stranger text={message.subject} /> : '(no subject)'}</Fact>
        {files > 0 && <Fact name="Attachments">{files}</Fact>}
      </Facts>
      <DialogActions>
        <Button disabled={busy} onClick={busy ? undefined : onClose}>
          Back
        </Button>
        {!nobody && (
          <Button look="primary" busy={busy} onClick={onSend}>
            Send to {people.length === 1 ? 'one person' : `${people.length} people`}
          </Button>
        )}
      </DialogActions>
    </Dialog>
  );
}
