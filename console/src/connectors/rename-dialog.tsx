// The name that an owner gives a connector.
import { useState, type FormEvent } from 'react';
import { asProblem, faultAt } from '../api/problem';
import { Button, Dialog, DialogActions, Problem, TextField, useToast } from '../ui';
import type { Connector } from './connector';
import s from './connectors.module.css';
import { useChange } from './queries';

const LONGEST = 100;

export function RenameDialog({ connector, onClose }: { connector: Connector; onClose: () => void }) {
  const [label, setLabel] = useState(connector.label ?? '');
  const change = useChange(connector.id);
  const toast = useToast();
  const fault = faultAt(change.error, 'label');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { label: label.trim() === '' ? null : label.trim() },
      {
        onSuccess: () => {
          toast('The name is stored.');
          onClose();
        },
      },
    );
  };
  return (
    <Dialog title={`Rename ${connector.email_address}`} onClose={onClose}>
      <form className={s.form} onSubmit={submit}>
        <TextField
          label="Name"
          hint="What you call this mailbox. Leave it empty to show its address alone."
          maxLength={LONGEST}
          value={label}
          fault={fault}
          onChange={(event) => setLabel(event.target.value)}
        />
        {change.error && !fault && <Problem error={asProblem(change.error)} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={change.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
