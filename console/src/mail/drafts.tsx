// Mail that is not sent yet.
import { useState } from 'react';
import { Link } from 'react-router';
import { useMay } from '../api/me';
import type { Connector } from '../connectors/connector';
import { Button, ButtonLink, Empty, Loading, PageHead, Panel, Problem, RelativeTime } from '../ui';
import { Sender, Stranger, Subject } from '../ui/stranger';
import s from './mail.module.css';
import { useDrafts } from './queries';

export function Drafts({ connector }: { connector: Connector }) {
  const [tokens, setTokens] = useState<string[]>([]);
  const page = useDrafts(connector.id, tokens.at(-1));
  const mayWrite = useMay('write_mail');
  const query = `connector=${encodeURIComponent(connector.id)}`;
  return (
    <>
      <PageHead
        title="Drafts"
        text={connector.email_address}
        actions={
          <>
            <ButtonLink to={`/mail?${query}`}>All mail</ButtonLink>
            {mayWrite && (
              <ButtonLink look="primary" to={`/mail/compose?${query}`}>
                Write
              </ButtonLink>
            )}
          </>
        }
      />
      {page.isPending && <Loading what="Reading the drafts" />}
      {page.error && <Problem error={page.error} onRetry={() => void page.refetch()} />}
      {page.data && page.data.drafts.length === 0 && (
        <Empty title="No drafts">What you write lies here until it is sent.</Empty>
      )}
      {page.data && page.data.drafts.length > 0 && (
        <Panel flush>
          <ul className={s.found} aria-label="Drafts">
            {page.data.drafts.map(({ id, message }) => (
              <li key={id} className={s.foundRow}>
                <Link
                  className={s.foundLink}
                  to={
                    mayWrite
                      ? `/mail/compose?${query}&draft=${encodeURIComponent(id)}`
                      : `/mail/threads/${encodeURIComponent(message.thread_id)}?${query}&message=${encodeURIComponent(message.id)}`
                  }
                >
                  <span className={s.foundWho}>
                    To: {message.to.length === 0 ? '(nobody yet)' : <Sender address={message.to[0]} short />}
                  </span>
                  <span className={s.foundWhat}>
                    <strong>
                      <Subject text={message.subject} />
                    </strong>{' '}
                    <span className={s.snippet}>
                      <Stranger text={message.snippet} />
                    </span>
                  </span>
                  <span className={s.foundFacts}>
                    <RelativeTime at={message.timestamp} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {page.data && (tokens.length > 0 || page.data.next !== undefined) && (
        <nav className={s.pages} aria-label="Pages">
          <Button disabled={tokens.length === 0} onClick={() => setTokens(tokens.slice(0, -1))}>
            Newer
          </Button>
          <span>Page {tokens.length + 1}</span>
          <Button
            disabled={page.data.next === undefined}
            onClick={() => page.data.next !== undefined && setTokens([...tokens, page.data.next])}
          >
            Older
          </Button>
        </nav>
      )}
    </>
  );
}
