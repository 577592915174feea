// Which mailbox a view is about. It stands in the address (`?connector=`), so that a reload and a link keep it.
import { useEffect } from 'react';
import { useSearchParams } from 'react-router';
import { Actions, Button, ButtonLink, Empty, SelectField } from '../ui';
import { nameOf, type Connector } from './connector';
import { useConnectors } from './queries';

export type Chosen = {
  /** The chosen one; the only one, if there is one only. */
  connector: Connector | undefined;
  connectors: Connector[];
  choose: (id: string) => void;
};

const PARAMETER = 'connector';
/** From one room to the next the choice stays. */
let lastChosen: string | null = null;

/** Suspends until the connectors are known. */
export function useConnector(): Chosen {
  const connectors = useConnectors();
  const [search, setSearch] = useSearchParams();
  const wanted = search.get(PARAMETER) ?? lastChosen;
  const connector = connectors.find(({ id }) => id === wanted) ?? (connectors.length === 1 ? connectors[0] : undefined);
  const chosen = connector?.id;
  useEffect(() => {
    if (chosen) lastChosen = chosen;
  }, [chosen]);
  const choose = (id: string) =>
    setSearch(
      (before) => {
        before.set(PARAMETER, id);
        return before;
      },
      { replace: true },
    );
  return { connector, connectors, choose };
}

type Props = { chosen: Chosen; label?: string; fault?: string | undefined; disabled?: boolean };

/** A choice if there are several, the name if there is one, the way to connect if there is none. */
export function ConnectorPicker({ chosen, label = 'Mailbox', fault, disabled }: Props) {
  const { connector, connectors, choose } = chosen;
  if (connectors.length === 0) {
    return (
      <Empty title="No mailbox is connected" action={<ButtonLink look="primary" to="/connectors">Connect a mailbox</ButtonLink>}>
        Connect one first; then it can be chosen here.
      </Empty>
    );
  }
  return (
    <SelectField label={label} fault={fault} disabled={disabled} value={connector?.id ?? ''} onChange={(event) => choose(event.target.value)}>
      {!connector && <option value="">Choose a mailbox</option>}
      {connectors.map((each) => (
        <option key={each.id} value={each.id}>
          {nameOf(each)}
        </option>
      ))}
    </SelectField>
  );
}

/** Instead of a view, while several mailboxes are there and none is chosen. */
export function ChooseFirst({ chosen, what }: { chosen: Chosen; what: string }) {
  return (
    <Empty
      title="Choose a mailbox"
      action={
        <Actions>
          {chosen.connectors.map((each) => (
            <Button key={each.id} onClick={() => chosen.choose(each.id)}>
              {nameOf(each)}
            </Button>
          ))}
        </Actions>
      }
    >
      {what}
    </Empty>
  );
}
