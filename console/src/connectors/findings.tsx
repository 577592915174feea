// What is wrong with a connector, as its health says it, and what to do: by a button where the console can.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ConnectorHealth, HealthFinding } from 'email-connectors-client';
import type { ReactNode } from 'react';
import { Badge, Button, ButtonLink, Loading, Notice, Panel, Problem, type Tone } from '../ui';
import type { Connector } from './connector';
import s from './connectors.module.css';

export type Act = { reconnect?: () => void; lookNow?: () => void; resume?: () => void };

type Props = { connector: Connector; health: UseQueryResult<ConnectorHealth>; act: Act };

const SEVERITIES: Record<HealthFinding['severity'], { tone: Tone; word: string }> = {
  down: { tone: 'bad', word: 'Down' },
  degraded: { tone: 'warn', word: 'Degraded' },
  note: { tone: 'quiet', word: 'Note' },
};

/** What of a remedy this page does by itself. All else is for whoever runs the stack. */
export const REMEDIES: Record<string, keyof Act | 'triggers'> = {
  needs_reauth: 'reconnect',
  status_error: 'reconnect',
  scopes_missing: 'reconnect',
  circuit_half_open: 'lookNow',
  looks_fail: 'lookNow',
  looked_too_long_ago: 'lookNow',
  messages_fail: 'lookNow',
  messages_parked: 'lookNow',
  paused: 'resume',
  labels_missing: 'triggers',
  no_triggers: 'triggers',
};

const LABELS = { reconnect: 'Reconnect', lookNow: 'Look now', resume: 'Resume', triggers: 'Go to its triggers' };

export function Findings({ connector, health, act }: Props) {
  if (health.error && !health.data) return <Problem error={health.error} onRetry={() => void health.refetch()} />;
  if (!health.data) return <Loading what="Asking how it is" />;
  const { findings } = health.data;
  if (findings.length === 0) return <Notice tone="good">All is well: nothing was found that needs anybody.</Notice>;
  return (
    <Panel title="What was found" flush>
      <ul>
        {findings.map((finding) => (
          <li key={finding.code} className={s.finding}>
            <div className={s.findingHead}>
              <Badge tone={SEVERITIES[finding.severity].tone}>{SEVERITIES[finding.severity].word}</Badge>
              <strong>{sentence(finding.what)}</strong>
            </div>
            <p className={s.remedy}>{coded(finding.remedy)}</p>
            <div className={s.findingHead}>
              <Remedy finding={finding} connector={connector} act={act} />
              <small className={s.second}>
                <code>{finding.code}</code>
                {finding.runbook && <> · at length: {finding.runbook}</>}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Remedy({ finding, connector, act }: { finding: HealthFinding; connector: Connector; act: Act }) {
  const remedy = REMEDIES[finding.code];
  if (!remedy) return null;
  if (remedy === 'triggers') {
    return (
      <ButtonLink small to={`/triggers?connector=${encodeURIComponent(connector.id)}`}>
        {LABELS.triggers}
      </ButtonLink>
    );
  }
  const go = act[remedy];
  return go ? (
    <Button small onClick={go}>
      {LABELS[remedy]}
    </Button>
  ) : null;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Commands stand between backticks. */
export function coded(text: string): ReactNode[] {
  // The pieces of one sentence never change their places.
  return text.split('`').map((piece, at) => (at % 2 === 1 ? <code key={at}>{piece}</code> : piece));
}
