// The dry run beside the form: which of the last days' mail would fire, and why the rest would not.
import { useEffect, useId, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useLabels } from '../api/labels';
import { asProblem } from '../api/problem';
import { Badge, Button, exact, Notice, Panel, Problem, RelativeTime } from '../ui';
import { Sender, Stranger, Subject } from '../ui/stranger';
import { type FilterForm, toFilters } from './filters';
import { mostUnits, type Spent, waitFor } from './pace';
import { type Range, type Tried, type Try, useTry } from './queries';
import { inOneSentence, keptOut, type Seen, seenOf, type Verdict } from './summary';
import s from './triggers.module.css';
import { type LabelName, reasonInWords } from './words';

/** So long nothing must be typed. */
const SETTLE_MS = 700;
const DAYS = [1, 3, 7, 14, 30];
const LIMITS = [10, 20, 50, 100];

type Props = { connectorId: string; triggerId: string | undefined; form: FilterForm; isStored: boolean };

/** What dry runs of this page have cost: other forms share the mailbox's quota. */
const spent: Spent[] = [];

export function DryRun({ connectorId, triggerId, form, isStored }: Props) {
  const id = useId();
  const [range, setRange] = useState<Range>({ days: 7, limit: 20 });
  const [shown, setShown] = useState<Verdict | 'all'>('all');
  const { filters } = toFilters(form);
  const wanted: Try = { connectorId, triggerId, filters, isStored, range };
  const possible = connectorId !== '';
  const { asked, waits, now: askNow } = useSettled(wanted, possible);
  const run = useTry(asked, possible && asked.connectorId === connectorId);
  const labels = useLabels(connectorId === '' ? undefined : connectorId);

  useEffect(() => {
    if (run.data && !run.isPlaceholderData) spent.push({ at: Date.now(), units: run.data.quota_units });
    // Once for each answer.
  }, [run.data, run.isPlaceholderData]);

  const seen = useMemo(() => (run.data ? seenOf(run.data) : []), [run.data]);
  const isBehind = run.isFetching || run.isPlaceholderData || JSON.stringify(asked) !== JSON.stringify(wanted);
  // The form shows the same fault when it is saved; here it stands until then.
  const refused = run.error !== null && asProblem(run.error).code === 'invalid_trigger';
  return (
    <section className={s.dryRun} aria-label="Dry run">
      <Panel
        title="What would fire"
        actions={
          <Button
            small
            busy={run.isFetching}
            disabled={!possible}
            onClick={() => void (isBehind ? askNow() : run.refetch())}
          >
            Try again
          </Button>
        }
        flush
      >
        <div className={s.range}>
          <label htmlFor={`${id}-days`}>Mail of the last</label>
          <select
            id={`${id}-days`}
            className={s.select}
            value={range.days}
            onChange={({ target }) => setRange({ ...range, days: Number(target.value) })}
          >
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {days === 1 ? 'day' : `${days} days`}
              </option>
            ))}
          </select>
          <label htmlFor={`${id}-limit`}>at most</label>
          <select
            id={`${id}-limit`}
            className={s.select}
            value={range.limit}
            onChange={({ target }) => setRange({ ...range, limit: Number(target.value) })}
          >
            {LIMITS.map((limit) => (
              <option key={limit} value={limit}>
                {limit} messages
              </option>
            ))}
          </select>
        </div>
        {!possible && <p className={s.nothing}>Choose a mailbox; then its last days' mail is tried here.</p>}
        {possible && (
          <div className={s.result} aria-busy={isBehind}>
            <p className={s.sentence} role="status" aria-live="polite">
              {run.data && !run.error ? inOneSentence(run.data, seen) : isBehind && !run.error ? 'Trying…' : ''}
            </p>
            {waits > 0 && (
              <p className={s.hint}>
                The next try waits {Math.ceil(waits / 1000)} seconds, so that the mailbox's quota is left to its
                triggers.{' '}
                <Button small look="quiet" onClick={askNow}>
                  Try now
                </Button>
              </p>
            )}
            {run.error && refused && <Notice tone="warn">{asProblem(run.error).detail}</Notice>}
            {run.error && !refused && <Problem error={run.error} onRetry={() => void run.refetch()} />}
            {run.data && !run.error && (
              <Result
                tried={run.data}
                seen={seen}
                shown={shown}
                setShown={setShown}
                connectorId={connectorId}
                label={labels.name}
              />
            )}
          </div>
        )}
      </Panel>
    </section>
  );
}

/** What to ask: once nothing is typed any more, and not more often than the mailbox's quota bears. */
function useSettled(wanted: Try, possible: boolean): { asked: Try; waits: number; now: () => void } {
  const key = JSON.stringify(wanted);
  const [asked, setAsked] = useState(key);
  const [waits, setWaits] = useState(0);
  const units = mostUnits(wanted.range.limit);
  useEffect(() => {
    if (!possible) return;
    let timer = setTimeout(() => {
      const wait = waitFor(units, spent, Date.now());
      setWaits(wait);
      if (wait === 0) setAsked(key);
      else timer = setTimeout(ask, wait);
    }, SETTLE_MS);
    const ask = () => {
      setWaits(0);
      setAsked(key);
    };
    return () => clearTimeout(timer);
  }, [key, possible, units]);
  const now = () => {
    setWaits(0);
    setAsked(key);
  };
  return { asked: useMemo(() => JSON.parse(asked) as Try, [asked]), waits, now };
}

type ResultProps = {
  tried: Tried;
  seen: Seen[];
  shown: Verdict | 'all';
  setShown: (shown: Verdict | 'all') => void;
  connectorId: string;
  label: LabelName;
};

const VERDICTS: Record<Verdict, { word: string; tone: 'good' | 'warn' | 'quiet' }> = {
  fires: { word: 'Fires', tone: 'good' },
  'would-match': { word: 'Matches, but is older', tone: 'warn' },
  not: { word: 'Does not fire', tone: 'quiet' },
};

function Result({ tried, seen, shown, setShown, connectorId, label }: ResultProps) {
  const strict = keptOut(seen);
  const counts: [Verdict | 'all', string, number][] = [
    ['all', 'All', seen.length],
    ['fires', 'Fire', seen.filter(({ verdict }) => verdict === 'fires').length],
    ['would-match', 'Match, but are older', seen.filter(({ verdict }) => verdict === 'would-match').length],
    ['not', 'Do not fire', seen.filter(({ verdict }) => verdict === 'not').length],
  ];
  const list = seen.filter(({ verdict }) => shown === 'all' || verdict === shown);
  return (
    <>
      <p className={s.hint}>
        Looked at {tried.looked_at} {tried.looked_at === 1 ? 'message' : 'messages'} of{' '}
        {tried.days === 1 ? 'the last day' : `the last ${tried.days} days`}
        {tried.truncated ? '; there are more' : ''}. Cost {tried.quota_units.toLocaleString('en')} units of the
        mailbox's quota.
        {tried.unreadable.length > 0 && ` ${tried.unreadable.length} could not be read.`}
      </p>
      {strict.length > 0 && (
        <ul className={s.strict} aria-label="What keeps mail out">
          {strict.map(({ filter, title, count, alone }) => (
            <li key={filter}>
              <strong>{title}</strong> keeps out {count}
              {alone > 0 && `, ${alone} of them alone`}
            </li>
          ))}
        </ul>
      )}
      {seen.length > 0 && (
        <div className={s.tabs} role="group" aria-label="Show">
          {counts
            .filter(([name, , count]) => name === 'all' || count > 0)
            .map(([name, word, count]) => (
              <button key={name} type="button" aria-pressed={shown === name} onClick={() => setShown(name)}>
                {word} <span>{count}</span>
              </button>
            ))}
        </div>
      )}
      <ul className={s.seen} aria-label="Messages that were looked at">
        {list.map((each) => (
          <Entry key={each.message_id} seen={each} connectorId={connectorId} label={label} />
        ))}
      </ul>
    </>
  );
}

function Entry({ seen, connectorId, label }: { seen: Seen; connectorId: string; label: LabelName }) {
  const { word, tone } = VERDICTS[seen.verdict];
  const reasons = (seen.reasons ?? []).map((reason) => reasonInWords(reason, label, exact));
  return (
    <li>
      <div className={s.seenHead}>
        <Badge tone={tone}>{word}</Badge>
        <span className={s.seenTime}>
          <RelativeTime at={seen.timestamp} />
        </span>
      </div>
      <Link
        className={s.seenSubject}
        to={`/mail/messages/${encodeURIComponent(seen.message_id)}?connector=${encodeURIComponent(connectorId)}`}
      >
        <Subject text={seen.subject} />
      </Link>
      <Sender address={seen.from} short />
      {reasons.length > 0 && (
        <details className={s.why}>
          <summary>Why not: {[...new Set(reasons.map(({ rule }) => rule))].join(', ')}</summary>
          <div className={s.whyBox}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Filter</th>
                  <th scope="col">Wanted</th>
                  <th scope="col">Saw</th>
                </tr>
              </thead>
              <tbody>
                {reasons.map(({ rule, wanted, saw }, at) => (
                  <tr key={at}>
                    <th scope="row">{rule}</th>
                    <td>
                      <Stranger text={wanted} />
                    </td>
                    <td>
                      <Stranger text={saw} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </li>
  );
}
