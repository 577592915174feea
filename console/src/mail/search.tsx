// Search by words and operators, page by page.
import type { Message } from 'email-connectors-client';
import { useId, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { grouped, useLabels } from '../api/labels';
import { useMay } from '../api/me';
import { ConnectorPicker, type Chosen } from '../connectors/picker';
import type { Connector } from '../connectors/connector';
import { Button, ButtonLink, Empty, Loading, Notice, PageHead, Panel, Problem, RelativeTime } from '../ui';
import { Sender, Stranger, Subject } from '../ui/stranger';
import { Clip } from './clip';
import s from './mail.module.css';
import { type Search, useMessages } from './queries';

const PLACES = ['INBOX', 'STARRED', 'SENT', 'DRAFT', 'SPAM', 'TRASH'];

export function Found({ chosen, connector }: { chosen: Chosen; connector: Connector }) {
  const [params, setParams] = useSearchParams();
  const mayWrite = useMay('write_mail');
  const search: Search = {
    query: params.get('q') ?? '',
    label: params.get('label') ?? (params.has('q') ? '' : 'INBOX'),
  };
  const set = (next: Search) => {
    const to = new URLSearchParams({ connector: connector.id });
    if (next.query !== '') to.set('q', next.query);
    if (next.label !== (next.query === '' ? 'INBOX' : '')) to.set('label', next.label);
    setParams(to);
  };
  return (
    <>
      <PageHead
        title="Mail"
        actions={
          <>
            <ButtonLink to={`/mail/drafts?connector=${connector.id}`}>Drafts</ButtonLink>
            {mayWrite && (
              <ButtonLink look="primary" to={`/mail/compose?connector=${connector.id}`}>
                Write
              </ButtonLink>
            )}
          </>
        }
      />
      {chosen.connectors.length > 1 && (
        <div className={s.pick}>
          <ConnectorPicker chosen={chosen} />
        </div>
      )}
      <Box key={`${search.query} ${search.label}`} connectorId={connector.id} search={search} onSearch={set} />
      <Pages key={JSON.stringify(search)} connector={connector} search={search} />
    </>
  );
}

function Box({
  connectorId,
  search,
  onSearch,
}: {
  connectorId: string;
  search: Search;
  onSearch: (search: Search) => void;
}) {
  const id = useId();
  const labels = useLabels(connectorId);
  const [query, setQuery] = useState(search.query);
  const own = grouped((labels.all ?? []).filter(({ type }) => type === 'user'));
  return (
    <form
      className={s.search}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        // Words are looked for everywhere; the place can be chosen afterwards.
        onSearch({
          query: query.trim(),
          label: query.trim() !== search.query && search.label === 'INBOX' && query.trim() !== '' ? '' : search.label,
        });
      }}
    >
      <label className="visually-hidden" htmlFor={`${id}-query`}>
        Search mail
      </label>
      <input
        id={`${id}-query`}
        type="search"
        className={s.input}
        value={query}
        placeholder="from:ada has:attachment newer_than:7d"
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => setQuery(target.value)}
      />
      <label className="visually-hidden" htmlFor={`${id}-label`}>
        Place
      </label>
      <select
        id={`${id}-label`}
        className={s.input}
        value={search.label}
        onChange={({ target }) => onSearch({ query: query.trim(), label: target.value })}
      >
        <option value="">All mail</option>
        {PLACES.map((place) => (
          <option key={place} value={place}>
            {labels.name(place)}
          </option>
        ))}
        {own.map((group) => (
          <optgroup key={group.title} label={group.title}>
            {group.labels.map((label) => (
              <option key={label.id} value={label.id}>
                {label.name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <Button type="submit">Search</Button>
    </form>
  );
}

function Pages({ connector, search }: { connector: Connector; search: Search }) {
  // The tokens of the pages before this one; each is good for this search alone.
  const [tokens, setTokens] = useState<string[]>([]);
  const page = useMessages(connector.id, search, tokens.at(-1));
  const labels = useLabels(connector.id);
  const next = page.data?.next_page_token ?? undefined;
  const messages = page.data?.messages ?? [];
  const failed = page.data?.failed_ids ?? [];
  if (page.isPending) return <Loading what="Searching" />;
  return (
    <div aria-busy={page.isFetching}>
      {page.error && <Problem error={page.error} onRetry={() => void page.refetch()} />}
      {failed.length > 0 && (
        <Notice tone="warn">
          {failed.length === 1 ? 'One message' : `${failed.length} messages`} could not be read just now. Search again
          to see {failed.length === 1 ? 'it' : 'them'}.
        </Notice>
      )}
      {page.data && messages.length === 0 && failed.length === 0 && !page.error && (
        <Empty title="No mail found">
          {search.query === ''
            ? 'There is nothing here.'
            : 'Nothing matches. Operators such as from:, subject:, has:attachment and newer_than:7d work here.'}
        </Empty>
      )}
      {messages.length > 0 && (
        <Panel flush>
          <ul className={s.found} aria-label="Messages">
            {messages.map((message) => (
              <Row
                key={message.id}
                message={message}
                connectorId={connector.id}
                label={labels.name}
                place={search.label}
              />
            ))}
          </ul>
        </Panel>
      )}
      {(tokens.length > 0 || next !== undefined) && (
        <nav className={s.pages} aria-label="Pages">
          <Button disabled={tokens.length === 0} onClick={() => setTokens(tokens.slice(0, -1))}>
            Newer
          </Button>
          <span>Page {tokens.length + 1}</span>
          <Button
            disabled={next === undefined || page.isPlaceholderData}
            onClick={() => next !== undefined && setTokens([...tokens, next])}
          >
            Older
          </Button>
        </nav>
      )}
    </div>
  );
}

type RowProps = { message: Message; connectorId: string; label: (id: string) => string; place: string };

/** Said in another way than by a chip, or by every row alike. */
const UNSHOWN = new Set(['UNREAD', 'INBOX', 'IMPORTANT']);

function Row({ message, connectorId, label, place }: RowProps) {
  const isUnread = message.label_ids.includes('UNREAD');
  const chips = message.label_ids.filter((id) => !UNSHOWN.has(id) && !id.startsWith('CATEGORY_') && id !== place);
  const isSent = message.label_ids.includes('SENT');
  const to = `/mail/threads/${encodeURIComponent(message.thread_id)}?connector=${encodeURIComponent(connectorId)}&message=${encodeURIComponent(message.id)}`;
  return (
    <li className={s.foundRow} data-unread={isUnread || undefined}>
      <Link to={to} className={s.foundLink}>
        <span className={s.foundWho}>
          {isUnread && <span className="visually-hidden">Unread. </span>}
          {isSent && 'To: '}
          <Sender address={isSent ? message.to[0] : message.from} short />
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
          {message.has_attachments && (
            <Clip text={message.attachments_unknown ? 'May have attachments' : 'Has attachments'} />
          )}
          {chips.map((id) => (
            <span key={id} className={s.label}>
              <Stranger text={label(id)} />
            </span>
          ))}
          <RelativeTime at={message.timestamp} />
        </span>
      </Link>
    </li>
  );
}
