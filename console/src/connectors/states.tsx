// A connector's states as badges. What each means is said beside it for readers, and on hover.
import { Badge } from '../ui';
import { wordsOf, type Connector } from './connector';
import s from './connectors.module.css';

export function States({ connector }: { connector: Connector }) {
  return (
    <span className={s.states}>
      {wordsOf(connector).map(({ word, tone, says }) => (
        <span key={word} title={says}>
          <Badge tone={tone}>{word}</Badge>
        </span>
      ))}
    </span>
  );
}
