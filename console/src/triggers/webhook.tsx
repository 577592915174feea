// A trigger that your own systems fire: its secret, how to sign, and a try.
import { useMutation } from '@tanstack/react-query';
import type { Trigger } from 'email-connectors-client';
import { useState } from 'react';
import { useApi } from '../api/client';
import { useMay } from '../api/me';
import { apiUrl } from '../app/base';
import {
  Actions,
  Button,
  Confirm,
  CopyButton,
  Dialog,
  DialogActions,
  exact,
  Notice,
  Panel,
  Problem,
  TextArea,
  useToast,
} from '../ui';
import s from './triggers.module.css';

export function Webhook({ trigger }: { trigger: Trigger }) {
  const api = useApi();
  const mayOperate = useMay('operate');
  const mayFire = useMay('fire');
  const [rotating, setRotating] = useState(false);
  const rotate = useMutation({ mutationFn: () => api.triggers.rotateSecret(trigger.id) });
  return (
    <div className={s.form}>
      <Panel
        title="How to fire it"
        actions={
          mayOperate && (
            <Button small onClick={() => setRotating(true)}>
              Another secret
            </Button>
          )
        }
      >
        <HowToSign triggerId={trigger.id} />
      </Panel>
      {mayFire && <TryFiring trigger={trigger} />}
      {rotating && (
        <Confirm
          title="Make another secret?"
          action="Make another secret"
          busy={rotate.isPending}
          onConfirm={() => rotate.mutate(undefined, { onSuccess: () => setRotating(false) })}
          onClose={() => setRotating(false)}
        >
          <p>The secret of today is accepted for a day more: set the new one at the sender in that time.</p>
          <p>If it leaked, make another twice: of all secrets the last two count.</p>
          {rotate.error && <Problem error={rotate.error} />}
        </Confirm>
      )}
      {rotate.data && (
        <SecretDialog
          triggerId={trigger.id}
          secret={rotate.data.secret}
          before={rotate.data.previous_valid_until}
          onClose={() => rotate.reset()}
        />
      )}
    </div>
  );
}

/** It can be left only by saying that the secret is kept: it is not shown again. */
export function SecretDialog(props: { triggerId: string; secret: string; before?: string; onClose: () => void }) {
  const { triggerId, secret, before, onClose } = props;
  return (
    <Dialog title="The trigger's secret" wide>
      <Notice tone="warn">
        This is shown once. Keep it where your systems keep secrets; nobody can read it again, only replace it.
      </Notice>
      <div className={s.secret}>
        <code aria-label="Secret">{secret}</code>
        <CopyButton text={secret} what="the secret" />
      </div>
      {before && <p>The secret before is accepted until {exact(before)}.</p>}
      <HowToSign triggerId={triggerId} />
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          I have kept it
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function HowToSign({ triggerId }: { triggerId: string }) {
  const url = `${apiUrl()}/api/triggers/${triggerId}/events`;
  const sample = [
    `BODY='{"event_type":"order.paid","data":{"sum":12}}'`,
    'NOW=$(date +%s)',
    `MAC=$(printf '%s.%s' "$NOW" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -hex | sed 's/.* //')`,
    `curl -X POST '${url}' -H "X-Signature: t=$NOW,v1=$MAC" -d "$BODY"`,
  ].join('\n');
  return (
    <div className={s.fields}>
      <p>
        Post a JSON object of at most 16 KiB. Sign it: HMAC-SHA256 of the time in seconds, a dot and the body, under
        the secret. A signature is good once, for five minutes.
      </p>
      <div className={s.sample}>
        <CopyButton text={sample} what="the sample" />
        <pre>{sample}</pre>
      </div>
    </div>
  );
}

const SAMPLE = '{\n  "event_type": "order.paid",\n  "data": { "sum": 12 }\n}';

function TryFiring({ trigger }: { trigger: Trigger }) {
  const api = useApi();
  const toast = useToast();
  const [text, setText] = useState(SAMPLE);
  // The same event is never fired twice by an answer that was lost.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const payload = objectIn(text);
  const fire = useMutation({
    mutationFn: (payload: Record<string, unknown>) => api.triggers.fire(trigger.id, payload, { idempotencyKey: key }),
    onSuccess: () => {
      setKey(crypto.randomUUID());
      toast('It fired.');
    },
  });
  return (
    <Panel title="Fire it now">
      <div className={s.fields}>
        <TextArea
          label="Event"
          hint="Sent with your sign-in instead of a signature. Your agent starts for it as for any other."
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            setKey(crypto.randomUUID());
          }}
          fault={payload ? undefined : 'This is no JSON object.'}
          spellCheck={false}
          rows={6}
        />
        <Actions>
          <Button busy={fire.isPending} disabled={!payload} onClick={() => payload && fire.mutate(payload)}>
            Fire the trigger
          </Button>
        </Actions>
        {fire.error && <Problem error={fire.error} />}
        {fire.data && (
          <Notice tone="good">
            Event <code>{fire.data.event_id}</code> is on its way.
          </Notice>
        )}
      </div>
    </Panel>
  );
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
