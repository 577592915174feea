// A mail's HTML in a frame that runs nothing and, until it is asked to, loads nothing. The frame is an empty document with
// a policy of its own (public/mail-frame*.html); what goes into it are nodes that were made harmless first.
import { useEffect, useMemo, useRef, useState } from 'react';
import { base } from '../app/base';
import { Button, Loading } from '../ui';
import { Stranger } from '../ui/stranger';
import s from './mail.module.css';
import type { Pictures } from './queries';
import { type Shown, shownMail } from './sanitize';

/** No allow-scripts: nothing in it can run. allow-same-origin, so that this page can put nodes in and measure them. */
const SANDBOX = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';
const HIGHEST = 20_000;
/** Pictures come late, and Safari tells nobody. */
const MEASURED_MS = [50, 300, 1000, 3000, 8000];

const OWN_STYLE = `
html { color-scheme: light; overflow-x: auto;  background: #fff; }
body { margin: 0; padding: 12px; color: #1a1d23; font: 14px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
img:not([src]) { display: inline-block; min-width: 16px; min-height: 16px; border: 1px dashed #8a92a0; color: #555d6b; font-size: 12px; }
table { max-width: 100%; }
pre { white-space: pre-wrap; }
img:not([src])[width='1'], img:not([src])[height='1'] { display: none; }
a[href] { color: #2a52c9; }
`;

/** After the mail's own: a body as high as the frame would make the frame higher, and so on. */
const LAST_STYLE =
  ':root:root, :root:root > body { height: auto !important; min-height: 0 !important; max-height: none !important; }';
/** With more elements the frame does not follow what it shows: each change of its size would cost seconds. */
const MOST_FOLLOWED = 20_000;
const LONG_HEIGHT = 640;
/** So often the frame follows what it shows. */
const MOST_CHANGES = 40;

type Props = { html: string; embedded: Pictures; title: string };

export default function MailFrame({ html, embedded, title }: Props) {
  const [pictures, setPictures] = useState(false);
  const [loaded, setLoaded] = useState<{ view: Window; pictures: boolean }>();
  const view = loaded?.pictures === pictures ? loaded.view : undefined;
  const shown = useMemo(
    () => view && shownMail(html, { pictures, embedded: new Map(Object.entries(embedded)) }, view),
    [html, pictures, embedded, view],
  );
  const remote = shown?.remote ?? 0;
  return (
    <div className={s.html}>
      {remote > 0 && !pictures && (
        <div className={s.bar}>
          <span>
            {remote === 1 ? 'One picture' : `${remote} pictures`} from the network {remote === 1 ? 'is' : 'are'} not
            loaded: loading tells the sender that you read this, and where.
          </span>
          <Button small onClick={() => setPictures(true)}>
            Load pictures
          </Button>
        </div>
      )}
      <Frame
        key={pictures ? 'pictures' : 'none'}
        shown={shown}
        pictures={pictures}
        title={title}
        onLoad={(window) => setLoaded({ view: window, pictures })}
      />
      {shown ? <Links shown={shown} /> : <Loading what="Making the message harmless" />}
    </div>
  );
}

type FrameProps = { shown: Shown | undefined; pictures: boolean; title: string; onLoad: (view: Window) => void };

function Frame({ shown, pictures, title, onLoad }: FrameProps) {
  const at = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState<number>();
  useEffect(() => {
    const inner = at.current?.contentDocument;
    if (!shown || !inner) return;
    const isLong = shown.body.getElementsByTagName('*').length > MOST_FOLLOWED;
    inner.documentElement.style.overflowY = isLong ? 'scroll' : '';
    fill(inner, shown);
    if (isLong) return;
    const { body } = inner;
    let changes = 0;
    const measure = () => {
      if (changes++ < MOST_CHANGES) setHeight(Math.min(HIGHEST, Math.max(40, Math.ceil(body.scrollHeight))));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(body);
    const timers = MEASURED_MS.map((delay) => setTimeout(measure, delay));
    return () => {
      observer.disconnect();
      timers.forEach(clearTimeout);
    };
  }, [shown]);
  return (
    <iframe
      ref={at}
      className={s.frame}
      title={title}
      sandbox={SANDBOX}
      referrerPolicy="no-referrer"
      src={`${base.console}/mail-frame${pictures ? '-pictures' : ''}.html`}
      style={{ height: height ?? LONG_HEIGHT }}
      onLoad={({ currentTarget }) => currentTarget.contentWindow && onLoad(currentTarget.contentWindow)}
    />
  );
}

function fill(inner: Document, { body, sheet }: Shown): void {
  const style = (text: string) => {
    const element = inner.createElement('style');
    element.textContent = text;
    return element;
  };
  for (const old of inner.head.querySelectorAll('style')) old.remove();
  inner.head.append(style(OWN_STYLE), style(sheet), style(LAST_STYLE));
  // A copy: React runs effects twice in development, and the same mail may be shown anew.
  inner.body.replaceChildren(inner.importNode(body, true));
}

/** Where the links lead, told by this page and not by the mail. */
function Links({ shown: { links } }: { shown: Shown }) {
  const lying = links.filter(({ lies }) => lies);
  if (links.length === 0) return null;
  return (
    <details className={s.links} data-warn={lying.length > 0 || undefined}>
      <summary>
        {lying.length > 0
          ? `${lying.length} of ${links.length} ${links.length === 1 ? 'link' : 'links'} may mislead: see where ${lying.length === 1 ? 'it leads' : 'they lead'}`
          : `${links.length} ${links.length === 1 ? 'link' : 'links'}`}
      </summary>
      <ul>
        {links.slice(0, 200).map(({ href, target, text, lies }, place) => (
          <li key={place}>
            <span>{text === '' ? '(no text)' : <Stranger text={text} />}</span>
            <span className={lies ? s.lies : s.leads}>
              leads to <bdi dir="ltr">{target}</bdi>
            </span>
            <code className={s.href}>{href.slice(0, 300)}</code>
          </li>
        ))}
      </ul>
      {links.length > 200 && <p>and {links.length - 200} more.</p>}
    </details>
  );
}
