// A consent as a person sees it: what happens now, what came of it, and the ways on.
import { Button, CopyButton, Loading, Notice, TextField } from '../ui';
import type { Outcome, Way } from './outcome';
import type { useConsent } from './consent';

type Props = {
  consent: ReturnType<typeof useConsent>;
  /** What a replacement deletes; without it none is offered. */
  replaces?: string | undefined;
};

export function ConsentSteps({ consent, replaces }: Props) {
  const { step } = consent;
  if (step.is === 'opening') return <Loading what="Opening a window" />;
  if (step.is === 'waiting') return <Loading what="Allow the access in the window that opened" />;
  if (step.is === 'connecting') return <Loading what="Connecting the mailbox" />;
  if (step.is === 'administrator') return <Administrator url={step.url} refused={step.refused} consent={consent} />;
  if (step.is === 'allowed') {
    return (
      <Notice
        tone="good"
        actions={
          <Button small look="primary" onClick={() => void consent.ask()}>
            Continue to {consent.provider.name}
          </Button>
        }
      >
        <strong>Your organisation allows this app</strong>
        <span>The mailbox can be connected now.</span>
      </Notice>
    );
  }
  if (step.is === 'failed') return <Failed outcome={step.outcome} consent={consent} replaces={replaces} />;
  return null;
}

const LABELS: Record<Way, string> = {
  again: 'Ask again',
  replace: 'Replace the connected account',
  resend: 'Try again',
  open: 'Continue in this tab',
  administrator: 'Ask an administrator',
};

type AdministratorProps = Pick<Props, 'consent'> & { url: string; refused: boolean | undefined };

/** The address may go to somebody else, who needs no account here; or the person is the administrator. */
function Administrator({ url, refused, consent }: AdministratorProps) {
  return (
    <>
      <Notice
        tone={refused ? 'bad' : 'quiet'}
        actions={
          <>
            <CopyButton text={url} what="the administrator's address" />
            <Button small onClick={() => consent.openForAdministrator(url)}>
              I am an administrator
            </Button>
            <Button small onClick={() => void consent.ask()}>
              Ask again
            </Button>
          </>
        }
      >
        <strong>{refused ? 'The administrator did not allow this app' : 'Send this address to an administrator'}</strong>
        <span>
          There, an administrator of your organisation allows the app for everybody in it. Once that is done, ask again here.
        </span>
      </Notice>
      <TextField label="The administrator's address" value={url} readOnly onFocus={({ target }) => target.select()} />
    </>
  );
}

function Failed({ outcome, consent, replaces }: Props & { outcome: Outcome }) {
  const offered: Partial<Record<Way, unknown>> = { replace: replaces, administrator: consent.provider.admin_consent };
  const ways = outcome.ways.filter((way) => !(way in offered) || offered[way]);
  const go: Record<Way, () => void> = {
    again: () => void consent.ask(),
    replace: () => void consent.ask(true),
    resend: () => void consent.resend(),
    open: () => consent.openHere(),
    administrator: () => void consent.askAdministrator(),
  };
  return (
    <Notice
      tone="bad"
      actions={ways.map((way, at) => (
        <Button key={way} small look={way === 'replace' ? 'danger' : at === 0 ? 'primary' : 'plain'} onClick={go[way]}>
          {LABELS[way]}
        </Button>
      ))}
    >
      <strong>{outcome.title}</strong>
      <span>{outcome.text}</span>
      {ways.includes('replace') && <span>{replaces}</span>}
      {ways.at(-1) === 'administrator' && <span>If the window said that an administrator's approval is needed, ask for that first.</span>}
      <small>
        Code <code>{outcome.code}</code>
        {outcome.requestId && (
          <>
            {' '}
            · Request <code>{outcome.requestId}</code>
          </>
        )}
      </small>
    </Notice>
  );
}
