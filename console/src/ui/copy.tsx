// What can be copied: an id, a secret, an event.
import { useToast } from './toast';
import { Button } from './button';
import s from './ui.module.css';

export function CopyButton({ text, what }: { text: string; what: string }) {
  const toast = useToast();
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => toast(`Copied: ${what}.`),
      () => toast('The browser did not allow copying. Select the text and copy it yourself.'),
    );
  return (
    <Button small aria-label={`Copy ${what}`} onClick={() => void copy()}>
      Copy
    </Button>
  );
}

export function Json({ value, what }: { value: unknown; what: string }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <div className={s.jsonBox}>
      <CopyButton text={text} what={what} />
      {/* It scrolls, so it can be reached by keyboard. */}
      <pre className={s.json} role="region" aria-label={what} tabIndex={0}>
        {text}
      </pre>
    </div>
  );
}
