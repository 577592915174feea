// How the stack is: each part that was checked, what to do, and what it is.
import { useQuery } from '@tanstack/react-query';
import type { SystemHealth } from 'email-connectors-client';
import { useApi } from '../api/client';
import { keys } from '../api/keys';
import { useMe } from '../api/me';
import { every } from '../api/polling';
import { base } from '../app/base';
import { Badge, Fact, Facts, Loading, PageHead, Panel, Problem, RelativeTime, Rows, type Tone } from '../ui';
import s from './system.module.css';

const EVERY_MS = 15_000;

type Status = SystemHealth['status'];

const STATES: Record<Status, { tone: Tone; word: string; says: string }> = {
  healthy: { tone: 'good', word: 'Healthy', says: 'Every part answers.' },
  degraded: { tone: 'warn', word: 'Degraded', says: 'It works, but late or in part.' },
  down: { tone: 'bad', word: 'Down', says: 'Nothing fires until this is mended. No mail is lost meanwhile.' },
};

/** The parts in words for those who do not run the stack. */
const PARTS: Record<string, string> = {
  table: 'Table',
  keys: 'Keys of the identity provider',
  queue: 'Queue of wake-ups',
  dead_letters: 'Dead letters',
  quarantine: 'Quarantine',
};

export default function System() {
  const api = useApi();
  const health = useQuery({ queryKey: keys.system, queryFn: ({ signal }) => api.system.health({ signal }), refetchInterval: every(EVERY_MS) });
  return (
    <>
      <PageHead title="System" text="How the stack is, what is wrong, and what to do." />
      <div className={s.stack}>
        {health.error && <Problem error={health.error} onRetry={() => void health.refetch()} />}
        {!health.data && !health.error && <Loading what="Asking every part" />}
        {health.data && <Checks health={health.data} />}
        <About />
      </div>
    </>
  );
}

function Checks({ health }: { health: SystemHealth }) {
  const { tone, word, says } = STATES[health.status];
  return (
    <Panel title="Health" flush actions={<span className={s.quiet}>Checked <RelativeTime at={health.checked_at} /></span>}>
      <div className={s.whole}>
        <Badge tone={tone}>{word}</Badge> {says}
      </div>
      <Rows label="Checks">
        {health.checks.map((check) => (
          <li key={check.name} className={s.check}>
            <div className={s.name}>{PARTS[check.name] ?? check.name}</div>
            <div>
              <Badge tone={STATES[check.status].tone}>{STATES[check.status].word}</Badge>
            </div>
            <div className={s.detail}>
              {check.detail.charAt(0).toUpperCase() + check.detail.slice(1)}
              {check.remedy && <p className={s.remedy}>{check.remedy}</p>}
            </div>
          </li>
        ))}
      </Rows>
    </Panel>
  );
}

function About() {
  const api = useApi();
  const me = useMe();
  const info = useQuery({ queryKey: keys.info, queryFn: ({ signal }) => api.system.info({ signal }), staleTime: 5 * 60_000 });
  return (
    <Panel title="About">
      {info.error && <Problem error={info.error} onRetry={() => void info.refetch()} />}
      <Facts>
        {info.data && (
          <>
            <Fact name="Version">
              {info.data.name} {info.data.version}
            </Fact>
            <Fact name="Providers">{info.data.providers.map(({ name }) => name).join(', ') || 'none'}</Fact>
          </>
        )}
        <Fact name="Owner">
          <code>{me.owner_id}</code>
        </Fact>
        <Fact name="Licences">
          <a href={`${base.console}/licenses.txt`} target="_blank" rel="noreferrer">
            of what this page is made of
          </a>
        </Fact>
        <Fact name="Role">{me.role ?? 'none is configured: an owner may do everything'}</Fact>
      </Facts>
    </Panel>
  );
}
