// What a view shows when it has nothing to show yet, nothing at all, or a problem.
import type { ReactNode } from 'react';
import { asProblem } from '../api/problem';
import { sentence } from '../api/sentence';
import { Button } from './button';
import s from './ui.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

export function Badge({ tone = 'quiet', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={[s.badge, tone !== 'quiet' && s[tone]].filter(Boolean).join(' ')}>{children}</span>;
}

export function Loading({ what = 'Loading' }: { what?: string }) {
  return (
    <div className={s.loading} role="status">
      <span className={s.spinner} aria-hidden="true" />
      {what}…
    </div>
  );
}

type EmptyProps = {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** Where it is all that a page shows. */
  whole?: boolean;
};

export function Empty({ title, children, action, whole }: EmptyProps) {
  const Heading = whole ? 'h1' : 'h2';
  return (
    <div className={s.empty}>
      <Heading>{title}</Heading>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

const TONES = { good: s.noticeGood, warn: s.noticeWarn, bad: s.noticeBad, quiet: undefined };

export function Notice({ tone = 'quiet', children, actions }: { tone?: Tone; children: ReactNode; actions?: ReactNode }) {
  return (
    <div className={[s.notice, TONES[tone]].filter(Boolean).join(' ')} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
      {actions && <div className={s.noticeActions}>{actions}</div>}
    </div>
  );
}

/** The sentence of a failure, its code and its request id, and a way on. */
export function Problem({ error, onRetry, actions }: { error: unknown; onRetry?: (() => void) | undefined; actions?: ReactNode }) {
  const problem = asProblem(error);
  const { title, text } = sentence(problem);
  const ways = (
    <>
      {actions}
      {onRetry && (
        <Button small onClick={onRetry}>
          Try again
        </Button>
      )}
    </>
  );
  return (
    <Notice tone="bad" actions={onRetry || actions ? ways : undefined}>
      <strong>{title}</strong>
      <span>{text}</span>
      <span className={s.problemCode}>
        <span>
          Code <code>{problem.code}</code>
        </span>
        {problem.field && (
          <span>
            Field <code>{problem.field}</code>
          </span>
        )}
        {problem.requestId && (
          <span>
            Request <code>{problem.requestId}</code>
          </span>
        )}
      </span>
    </Notice>
  );
}

/** What a role may not see. */
export function Forbidden({ children }: { children?: ReactNode }) {
  return <Empty title="Your role does not allow this">{children ?? 'Ask whoever manages your account for another role.'}</Empty>;
}
