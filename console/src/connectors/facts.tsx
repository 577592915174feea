// The facts of a connector in three panels.
import type { ConnectorHealth } from 'email-connectors-client';
import { Link } from 'react-router';
import { Badge, Fact, Facts, Panel, RelativeTime, type Tone } from '../ui';
import type { Connector } from './connector';
import s from './connectors.module.css';

type Props = { connector: Connector; health: ConnectorHealth | undefined };

export function AtAGlance({ connector, health, mayRead }: Props & { mayRead: boolean }) {
  const { freshness, backlog, quota, triggers } = health ?? {};
  const to = (room: string) => `/${room}?connector=${encodeURIComponent(connector.id)}`;
  return (
    <Panel title="At a glance">
      <Facts>
        <Fact name="Looked at">
          {freshness ? <RelativeTime at={freshness.last_looked_at} none="not yet" /> : '…'}
          {freshness?.behind && <> · a look is overdue</>}
        </Fact>
        {freshness?.next_look_at && (
          <Fact name="Next look">
            <RelativeTime at={freshness.next_look_at} /> at the latest
          </Fact>
        )}
        <Fact name="Last event">
          <RelativeTime at={connector.last_event_at} none="none yet" />
        </Fact>
        <Fact name="Triggers">
          <Link to={to('triggers')}>{triggers === undefined ? 'Its triggers' : triggers === 1 ? '1 trigger' : `${triggers} triggers`}</Link>
          {' · '}
          <Link to={to('firings')}>what fired</Link>
          {mayRead && (
            <>
              {' · '}
              <Link to={to('mail')}>its mail</Link>
            </>
          )}
        </Fact>
        <Fact name="Parked mail">
          {connector.parked_messages === 0
            ? 'none'
            : `${connector.parked_messages} set aside after repeated failures; tried again by themselves`}
        </Fact>
        {backlog && backlog.unpublished_events > 0 && <Fact name="Waiting events">{backlog.unpublished_events}</Fact>}
        {backlog?.put_off_until && (
          <Fact name="Put off">
            <RelativeTime at={backlog.put_off_until} />
          </Fact>
        )}
        {quota && (
          <Fact name="Quota">
            {quota.spent} of {quota.units_per_minute} units spent in this minute
          </Fact>
        )}
        {connector.last_error && <Fact name="Last error">{connector.last_error}</Fact>}
        <Fact name="Connected">
          <RelativeTime at={connector.created_at} />
        </Fact>
      </Facts>
    </Panel>
  );
}

const WATCH: Record<Connector['watch']['status'], { word: string; tone: Tone }> = {
  active: { word: 'Active', tone: 'good' },
  pending: { word: 'Pending', tone: 'quiet' },
  failed: { word: 'Failed', tone: 'warn' },
};

const CIRCUIT: Record<Connector['circuit']['state'], { word: string; tone: Tone }> = {
  closed: { word: 'Closed', tone: 'good' },
  half_open: { word: 'Half open', tone: 'warn' },
  open: { word: 'Open', tone: 'bad' },
};

export function Watch({ connector, health }: Props) {
  const { watch, circuit } = connector;
  const verified = health?.watch.verified_at ?? watch.verified_at;
  return (
    <Panel title="Watch">
      <Facts>
        <Fact name="Pushes">
          <Badge tone={WATCH[watch.status].tone}>{WATCH[watch.status].word}</Badge>
        </Fact>
        {watch.expiration && (
          <Fact name="Ends">
            <RelativeTime at={watch.expiration} /> unless it is renewed
          </Fact>
        )}
        <Fact name="Renewed">
          <RelativeTime at={watch.renewed_at} none="not yet" />
        </Fact>
        <Fact name="Proved by a push">
          <RelativeTime at={verified} none="not yet" />
        </Fact>
        {watch.failure && (
          <Fact name="Failure">
            {watch.failure.reason} · <RelativeTime at={watch.failure.at} />
            {watch.failure.times && watch.failure.times > 1 ? ` · ${watch.failure.times} times in a row` : ''}
          </Fact>
        )}
        <Fact name="Circuit">
          <Badge tone={CIRCUIT[circuit.state].tone}>{CIRCUIT[circuit.state].word}</Badge>
          {circuit.state !== 'closed' && circuit.open_until && (
            <>
              {' '}
              tried again <RelativeTime at={circuit.open_until} />
            </>
          )}
        </Fact>
      </Facts>
    </Panel>
  );
}

const CAPABILITIES: Record<string, string> = {
  read_headers: 'read headers',
  read: 'read mail',
  modify: 'label and move',
  draft: 'draft',
  send: 'send',
  delete: 'delete for good',
};

/** Without the address that all scopes of a provider begin with. */
function shortOf(scope: string): string {
  return scope.replace(/^https:\/\/[^/]+\/(auth\/)?/, '');
}

export function Grant({ connector, health }: Props) {
  const missing = health?.auth.missing_scopes ?? [];
  return (
    <Panel title="What it may do">
      <Facts>
        <Fact name="Capabilities">
          <span className={s.chips}>
            {connector.capabilities.map((each) => (
              <span key={each} className={s.chip}>
                {CAPABILITIES[each] ?? each}
              </span>
            ))}
            {connector.capabilities.length === 0 && 'none'}
          </span>
        </Fact>
        {health && (
          <Fact name="Granted">
            <RelativeTime at={health.auth.granted_at} />
          </Fact>
        )}
        <Fact name="Scopes">
          <ul className={s.scopes}>
            {connector.granted_scopes.map((scope) => (
              <li key={scope} title={scope}>
                {shortOf(scope)}
              </li>
            ))}
          </ul>
        </Fact>
        {missing.length > 0 && (
          <Fact name="Missing scopes">
            <ul className={s.scopes}>
              {missing.map((scope) => (
                <li key={scope}>{shortOf(scope)}</li>
              ))}
            </ul>
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}
