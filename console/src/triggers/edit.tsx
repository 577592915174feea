// A trigger is made, looked at, changed, deleted.
import type { Trigger } from 'email-connectors-client';
import { useMemo, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useMay } from '../api/me';
import { asProblem } from '../api/problem';
import { ConnectorPicker, useConnector } from '../connectors/picker';
import { useConnectors } from '../connectors/queries';
import { nameOf } from '../connectors/connector';
import {
  Actions,
  Button,
  ButtonLink,
  Confirm,
  CopyButton,
  Empty,
  Fact,
  Facts,
  Forbidden,
  Loading,
  PageHead,
  Panel,
  Problem,
  RelativeTime,
  useToast,
} from '../ui';
import { DryRun } from './dry-run';
import { emptyForm, type FilterForm, fingerprint, toFilters, toForm } from './filters';
import { AgentField, FilterFields } from './form';
import { Sentence } from './sentence';
import { placeOf } from './problems';
import { useRemove, useSave, useTrigger } from './queries';
import { SecretDialog, Webhook } from './webhook';
import s from './triggers.module.css';

export function NewTrigger() {
  const chosen = useConnector();
  const mayOperate = useMay('operate');
  if (!mayOperate) return <Forbidden>Only a role that may operate can make triggers.</Forbidden>;
  return <Editor key="new" chosen={chosen} />;
}

export function ChangeTrigger() {
  const { id = '' } = useParams();
  const trigger = useTrigger(id);
  if (trigger.data) return <Editor key={id} trigger={trigger.data} />;
  if (trigger.error && asProblem(trigger.error).status === 404) {
    return (
      <>
        <PageHead title="Trigger" />
        <Empty title="There is no such trigger" action={<ButtonLink to="/triggers">All triggers</ButtonLink>}>
          It was deleted, or it belongs to somebody else.
        </Empty>
      </>
    );
  }
  if (trigger.error) return <Problem error={trigger.error} onRetry={() => void trigger.refetch()} />;
  return <Loading what="Reading the trigger" />;
}

function Editor({ trigger, chosen }: { trigger?: Trigger; chosen?: ReturnType<typeof useConnector> }) {
  const navigate = useNavigate();
  const toast = useToast();
  const connectors = useConnectors();
  const mayOperate = useMay('operate');
  const mayDelete = useMay('delete');
  const mayRead = useMay('read_mail');
  const stored = useMemo(() => toForm(trigger?.config.filters ?? {}), [trigger]);
  const [type, setType] = useState<Trigger['type']>(trigger?.type ?? 'email');
  // A new agent that answers mail would answer machines: said at the field, not decided here.
  const [form, setForm] = useState<FilterForm>(trigger ? stored : emptyForm());
  const [agentId, setAgentId] = useState(trigger?.agent_id ?? '');
  const [deleting, setDeleting] = useState(false);
  const [made, setMade] = useState<{ id: string; secret: string }>();
  const save = useSave(trigger);
  const remove = useRemove();

  const connectorId = trigger?.config.connector_id ?? chosen?.connector?.id ?? '';
  const connector = connectors.find(({ id }) => id === connectorId);
  const isStored = trigger !== undefined && fingerprint(form) === fingerprint(stored);
  const isChanged = !isStored || agentId.trim() !== (trigger?.agent_id ?? '');
  const problem = save.error ? asProblem(save.error) : undefined;
  const place = problem && placeOf(problem.field, toFilters(form).rows);
  const faultAt = (at: string) => (place?.at === at ? problem?.detail : undefined);

  const submit = async () => {
    if (connectorId === '') {
      document.querySelector<HTMLElement>('main select')?.focus();
      return;
    }
    try {
      const saved = await save.mutateAsync({ type, connectorId, form, agentId });
      if (saved.secret) return setMade({ id: saved.id, secret: saved.secret });
      toast(trigger ? 'The trigger is changed.' : 'The trigger is made. Mail from now on fires it.');
      if (!trigger) void navigate(`/triggers/${saved.id}`, { replace: true });
    } catch {
      // It is shown at its field; the first of them gets the focus.
      setTimeout(() => document.querySelector<HTMLElement>('main [aria-invalid="true"]')?.focus());
    }
  };
  const drop = async () => {
    try {
      await remove.mutateAsync(trigger?.id ?? '');
      toast('The trigger is deleted.');
      void navigate('/triggers', { replace: true });
    } catch {
      // Shown in the dialog.
    }
  };

  const title = trigger ? 'Trigger' : 'New trigger';
  const isAtField = place !== undefined && place.at !== 'form' && !(place.at === 'connector' && trigger);
  return (
    <>
      <PageHead
        title={title}
        text={trigger && <Sentence trigger={trigger} />}
        actions={
          trigger && (
            <>
              <ButtonLink to={`/firings?trigger=${encodeURIComponent(trigger.id)}`}>What fired</ButtonLink>
              {mayDelete && <Button onClick={() => setDeleting(true)}>Delete</Button>}
            </>
          )
        }
      />
      <div className={type === 'email' && mayRead ? s.split : s.form}>
        <form
          className={s.form}
          noValidate
          aria-label={title}
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          {trigger ? (
            <Panel>
              <Facts>
                <Fact name="Mailbox">{connector ? nameOf(connector) : connectorId}</Fact>
                <Fact name="Made">
                  <RelativeTime at={trigger.created_at} />
                </Fact>
                <Fact name="Id">
                  <span className={s.id}>
                    <code>{trigger.id}</code> <CopyButton text={trigger.id} what="the trigger's id" />
                  </span>
                </Fact>
              </Facts>
            </Panel>
          ) : (
            <Panel>
              <div className={s.fields}>
                {chosen && <ConnectorPicker chosen={chosen} fault={faultAt('connector')} />}
                <fieldset className={s.choice}>
                  <legend>Fired by</legend>
                  <div className={s.segments}>
                    <Segment
                      name="type"
                      label="Mail that arrives"
                      checked={type === 'email'}
                      onChoose={() => setType('email')}
                    />
                    <Segment
                      name="type"
                      label="Your own systems"
                      checked={type === 'webhook'}
                      onChoose={() => setType('webhook')}
                    />
                  </div>
                  {faultAt('type') && (
                    <div className={s.fault} role="alert">
                      {faultAt('type')}
                    </div>
                  )}
                </fieldset>
              </div>
            </Panel>
          )}
          <Panel title="Agent">
            <AgentField value={agentId} onChange={setAgentId} fault={faultAt('agent_id')} disabled={!mayOperate} />
          </Panel>
          {type === 'email' && (
            <FilterFields
              form={form}
              onChange={setForm}
              connectorId={connectorId}
              place={place}
              fault={problem?.detail}
              disabled={!mayOperate}
            />
          )}
          {problem && !isAtField && <Problem error={save.error} onRetry={() => void submit()} />}
          {problem && isAtField && (
            <p className={s.fault} role="status">
              Not saved: see the field above. Code <code>{problem.code}</code>
              {problem.requestId && (
                <>
                  , request <code>{problem.requestId}</code>
                </>
              )}
              .
            </p>
          )}
          {mayOperate && (
            <Actions>
              <Button
                look="primary"
                type="submit"
                busy={save.isPending}
                disabled={trigger !== undefined && !isChanged}
              >
                {trigger ? 'Save the changes' : 'Make the trigger'}
              </Button>
              {trigger && isChanged && (
                <Button
                  onClick={() => {
                    setForm(stored);
                    setAgentId(trigger.agent_id ?? '');
                    save.reset();
                  }}
                >
                  Undo the changes
                </Button>
              )}
            </Actions>
          )}
        </form>
        {type === 'email' && mayRead && (
          <DryRun
            key={connectorId}
            connectorId={connectorId}
            triggerId={trigger?.id}
            form={form}
            isStored={isStored}
          />
        )}
        {trigger?.type === 'webhook' && <Webhook trigger={trigger} />}
      </div>
      {made && (
        <SecretDialog
          triggerId={made.id}
          secret={made.secret}
          onClose={() => void navigate(`/triggers/${made.id}`, { replace: true })}
        />
      )}
      {deleting && (
        <Confirm
          title="Delete the trigger?"
          action="Delete the trigger"
          danger
          busy={remove.isPending}
          onConfirm={() => void drop()}
          onClose={() => setDeleting(false)}
        >
          <p>
            From now on nothing fires it. What it fired stays in the list for thirty days only while the trigger is
            there.
          </p>
          {trigger?.type === 'webhook' && <p>Its secret ends: your systems get 401 from then on.</p>}
          {remove.error && <Problem error={remove.error} />}
        </Confirm>
      )}
    </>
  );
}

export function Segment(props: {
  name: string;
  label: string;
  checked: boolean;
  onChoose: () => void;
  disabled?: boolean;
}) {
  const { name, label, checked, onChoose, disabled } = props;
  return (
    <label className={s.segment}>
      <input type="radio" name={name} checked={checked} disabled={disabled} onChange={onChoose} />
      <span>{label}</span>
    </label>
  );
}
