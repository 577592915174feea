// What a stranger chose: a subject, a name, an address, a file's name. It stays in its own line and direction, and hides nothing.
import type { Address } from 'email-connectors-client';
import { asciiDomain, looksLatin, mixedScripts, namesAnother, pieces } from './stranger-text';
import s from './stranger.module.css';

export function Stranger({ text }: { text: string }) {
  const shown = pieces(text);
  const [first] = shown;
  if (shown.length === 1 && first && 'text' in first) return <bdi>{first.text}</bdi>;
  return (
    <bdi>
      {shown.map((piece, at) =>
        'text' in piece ? (
          piece.text
        ) : (
          <span key={at} className={s.invisible} title={`Invisible character: ${piece.invisible}`}>
            <span className="visually-hidden">(invisible: {piece.invisible})</span>
            <span aria-hidden="true">{abbreviated(piece.invisible)}</span>
          </span>
        ),
      )}
    </bdi>
  );
}

export function Subject({ text }: { text: string | null | undefined }) {
  return text ? <Stranger text={text} /> : <span className={s.none}>(no subject)</span>;
}

/** The address always stands beside the name: a name can say anything. */
export function Sender({ address, short }: { address: Address | null | undefined; short?: boolean }) {
  if (!address || (!address.name && !address.address)) return <span className={s.none}>(no sender)</span>;
  const ascii = asciiDomain(address.address);
  const doubt =
    mixedScripts(address.address) ??
    (ascii && looksLatin(domainOf(address.address)) ? 'its letters look like Latin ones' : undefined);
  const machine = ascii && (
    <span className={s.ascii} title={doubt ?? 'The domain as machines write it'}>
      {ascii}
      {doubt && <span className="visually-hidden"> ({doubt})</span>}
    </span>
  );
  return (
    <span className={short ? s.short : s.sender}>
      {/* Where the rest may be cut off. */}
      {short && machine && <>{machine} </>}
      {address.name && (
        <>
          <strong>
            <Stranger text={address.name} />
          </strong>{' '}
          {namesAnother(address) && (
            <span className={s.ascii} title="The name looks like an address, and is not the sender's">
              not the address
            </span>
          )}{' '}
        </>
      )}
      {address.address ? (
        <span className={s.address}>
          <bdi dir="ltr">
            &lt;
            <Stranger text={address.address} />
            &gt;
          </bdi>
          {!short && machine && <> {machine}</>}
        </span>
      ) : (
        <span className={s.none}>(no readable address)</span>
      )}
    </span>
  );
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function abbreviated(name: string): string {
  const initials = name.startsWith('U+')
    ? name
    : name
        .split(/[\s-]+/)
        .map((word) => word[0])
        .join('');
  return `[${initials.toUpperCase()}]`;
}
