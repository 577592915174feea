// Connecting a mailbox, or connecting one again: the consent, what came of it, and what to do next.
import { useEffect, useRef, useState } from 'react';
import type { OfferedProvider } from 'email-connectors-client';
import { useApi } from '../api/client';
import { useMay } from '../api/me';
import { useConsent } from '../consent/consent';
import type { Resumed } from '../consent/handover';
import { providerAt } from '../consent/returned';
import { ConsentSteps } from '../consent/steps';
import { Button, ButtonLink, Dialog, DialogActions, Notice } from '../ui';
import { nameOf, type Connector } from './connector';
import s from './connectors.module.css';
import { useConnectors, useProviders, useRefresh } from './queries';

type Props = {
  /** The one to connect again; without it, any. */
  again?: Connector;
  resumed?: Resumed | null;
  onClose: () => void;
};

export function ConnectDialog({ again, resumed = null, onClose }: Props) {
  const providers = useProviders();
  const known = resumed
    ? (providers.find(({ connect }) => connect === resumed.pending?.connect) ?? providerAt(providers, resumed.pathname))
    : providers.find(({ id }) => id === again?.provider);
  const [chosen, setChosen] = useState<OfferedProvider | undefined>(known ?? (providers.length === 1 ? providers[0] : undefined));
  const title = again ? `Reconnect ${again.email_address}` : chosen ? `Connect ${chosen.name}` : 'Connect a mailbox';
  return (
    <Dialog title={title} onClose={onClose}>
      {chosen ? (
        <Consent provider={chosen} again={again} resumed={resumed} onClose={onClose} />
      ) : (
        <>
          <p>Where is the mailbox?</p>
          <div className={s.providers}>
            {providers.map((provider) => (
              <Button key={provider.id} onClick={() => setChosen(provider)}>
                {provider.name}
              </Button>
            ))}
          </div>
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
          </DialogActions>
        </>
      )}
    </Dialog>
  );
}

type ConsentProps = { provider: OfferedProvider; again: Connector | undefined; resumed: Resumed | null; onClose: () => void };

function Consent({ provider, again, resumed, onClose }: ConsentProps) {
  const api = useApi();
  const refresh = useRefresh();
  const occupying = useConnectors().find((each) => each.provider === provider.id);
  const consent = useConsent({ api, provider, loginHint: again?.email_address, onConnected: () => void refresh() });
  const mayReplace = useMay('delete');
  const { step, resume } = consent;

  const begun = useRef(false);
  useEffect(() => {
    if (!resumed || begun.current) return;
    begun.current = true;
    resume(resumed.returned, resumed.pending?.replace ?? false);
  }, [resumed, resume]);

  if (step.is === 'connected') {
    const { connected } = step;
    return (
      <>
        <Notice tone="good">
          <strong>{connected.email_address} is connected</strong>
          {connected.watch.status === 'failed' ? (
            <span>
              The provider does not push yet ({connected.watch.reason ?? 'without a reason'}). That is tried again by itself; until then mail is found
              by comparing.
            </span>
          ) : (
            <span>New mail is watched from now on. A trigger says what it starts.</span>
          )}
        </Notice>
        <DialogActions>
          <Button onClick={onClose}>Close</Button>
          <ButtonLink look="primary" to={`/triggers?connector=${encodeURIComponent(connected.connector_id)}`}>
            Go to its triggers
          </ButtonLink>
        </DialogActions>
      </>
    );
  }

  const replaces =
    mayReplace && occupying
      ? `Replacing disconnects ${nameOf(occupying)} and deletes its triggers and delivery records. That cannot be undone.`
      : undefined;
  return (
    <>
      {step.is === 'idle' && (
        <p>
          {again
            ? `A window of ${provider.name} opens. Choose ${again.email_address} and allow the access; mail that came meanwhile fires then.`
            : `A window of ${provider.name} opens. Choose the account and allow all that is asked for. If there are boxes, tick each: every permission is needed.`}
        </p>
      )}
      <ConsentSteps consent={consent} replaces={replaces} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        {step.is === 'idle' && (
          <Button look="primary" onClick={() => void consent.ask()}>
            Continue to {provider.name}
          </Button>
        )}
      </DialogActions>
    </>
  );
}
