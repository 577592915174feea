// Disconnecting: what it deletes is said before, what was done after.
import type { Receipt } from 'email-connectors-client';
import { useNavigate } from 'react-router';
import { Badge, Button, Confirm, Dialog, DialogActions, Problem } from '../ui';
import { nameOf, type Connector } from './connector';
import s from './connectors.module.css';
import { useDisconnect } from './queries';

type Props = { connector: Connector; onGone: () => void; onClose: () => void };

export function DisconnectDialog({ connector, onGone, onClose }: Props) {
  const disconnect = useDisconnect(connector.id);
  const navigate = useNavigate();
  if (disconnect.data) return <Done receipt={disconnect.data} onClose={() => void navigate('/connectors')} />;
  return (
    <Confirm
      title={`Disconnect ${nameOf(connector)}?`}
      action="Disconnect"
      danger
      busy={disconnect.isPending}
      onConfirm={() => disconnect.mutate(undefined, { onSuccess: onGone })}
      onClose={onClose}
    >
      <p>Nothing of this mailbox fires any more. These are deleted, and that cannot be undone:</p>
      <ul className={s.deleted}>
        <li>its triggers and their filters</li>
        <li>the records of what fired</li>
        <li>the access that you granted, unless another connector uses the same account, or the provider lets no app do that</li>
      </ul>
      <p className={s.remedy}>The mail itself stays as it is. Events that were published stay in the archive of whoever runs the stack.</p>
      {disconnect.error && <Problem error={disconnect.error} />}
    </Confirm>
  );
}

function Done({ receipt, onClose }: { receipt: Receipt; onClose: () => void }) {
  // Nothing continues once all is deleted: what was not done until then is left to the person.
  const whole = receipt.data_purged;
  const lines: [done: boolean, did: string, doesOrStays: string][] = [
    [
      receipt.watch_stopped,
      'The provider no longer notifies',
      whole ? 'The provider may notify until its subscription ends; nobody listens' : 'The provider still has to be told to stop notifying',
    ],
    [
      receipt.grant_revoked,
      'The access is revoked',
      whole ? 'The access stays on the list of apps in your account at the provider: remove it there' : 'The access still has to be revoked',
    ],
    [receipt.data_purged, 'Triggers, records and secrets are deleted', 'Triggers, records and secrets are still being deleted'],
  ];
  return (
    <Dialog title={whole ? 'Disconnected' : 'Disconnected; some of it continues by itself'} onClose={onClose}>
      <ul className={s.receipt}>
        {lines.map(([done, did, otherwise]) => (
          <li key={did}>
            <Badge tone={done ? 'good' : 'quiet'}>{done ? 'Done' : whole ? 'Stays' : 'Continues'}</Badge>
            {done ? did : otherwise}
          </li>
        ))}
      </ul>
      {!receipt.grant_revoked && <p className={s.remedy}>Another connector may use the same account; then watch and grant stay for it.</p>}
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      </DialogActions>
    </Dialog>
  );
}
