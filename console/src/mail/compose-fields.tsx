// The parts of a letter that are not always shown: copies, another sender, what is passed on.
import { useId, useState } from 'react';
import type { Connector } from '../connectors/connector';
import { Button, TextField } from '../ui';
import { Stranger } from '../ui/stranger';
import type { About, Letter } from './compose';
import s from './mail.module.css';

export type Set = (change: Partial<Letter>) => void;

export function Copies({
  letter,
  set,
  faultOf,
}: {
  letter: Letter;
  set: Set;
  faultOf: (field: 'cc' | 'bcc') => string | undefined;
}) {
  const [shown, setShown] = useState(letter.cc !== '' || letter.bcc !== '');
  if (!shown) {
    return (
      <div>
        <Button small look="quiet" onClick={() => setShown(true)}>
          Add Cc or Bcc
        </Button>
      </div>
    );
  }
  return (
    <>
      <TextField
        label="Cc"
        value={letter.cc}
        onChange={({ target }) => set({ cc: target.value })}
        fault={faultOf('cc')}
        autoComplete="off"
        spellCheck={false}
      />
      <TextField
        label="Bcc"
        hint="Nobody else sees them."
        value={letter.bcc}
        onChange={({ target }) => set({ bcc: target.value })}
        fault={faultOf('bcc')}
        autoComplete="off"
        spellCheck={false}
      />
    </>
  );
}

export function From(props: {
  connector: Connector;
  letter: Letter;
  set: Set;
  faultAt: (field: keyof Letter) => string | undefined;
}) {
  const { connector, letter, set, faultAt } = props;
  const faults = faultAt('fromName') ?? faultAt('fromAddress');
  const [isOpen, setOpen] = useState(letter.fromName !== '' || letter.fromAddress !== '');
  return (
    <details
      className={s.from}
      open={isOpen || faults !== undefined}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        From:{' '}
        <Stranger
          text={[letter.fromName, letter.fromAddress || connector.email_address].filter(Boolean).join(', ')}
        />
      </summary>
      <div className={s.fields}>
        <TextField
          label="Name"
          value={letter.fromName}
          onChange={({ target }) => set({ fromName: target.value })}
          fault={faultAt('fromName')}
          maxLength={255}
        />
        <TextField
          label="Address"
          hint="Empty: the mailbox's own. Another one must be known to the provider as one that you may send from."
          placeholder={connector.email_address}
          value={letter.fromAddress}
          onChange={({ target }) => set({ fromAddress: target.value })}
          fault={faultAt('fromAddress')}
          autoComplete="off"
          spellCheck={false}
        />
      </div>
    </details>
  );
}

export function Forwarded({ about, letter, set }: { about: NonNullable<About>; letter: Letter; set: Set }) {
  const id = useId();
  const count = about.message.attachments?.length ?? 0;
  return (
    <fieldset className={s.forward}>
      <legend>The original goes along</legend>
      <label>
        <input
          type="radio"
          name={id}
          checked={letter.forwardAs === 'inline'}
          onChange={() => set({ forwardAs: 'inline' })}
        />{' '}
        below your text{count > 0 && `, with its ${count === 1 ? 'attachment' : `${count} attachments`}`}
      </label>
      <label>
        <input
          type="radio"
          name={id}
          checked={letter.forwardAs === 'attachment'}
          onChange={() => set({ forwardAs: 'attachment' })}
        />{' '}
        as a file
      </label>
    </fieldset>
  );
}
