// The sign of an attachment.
import s from './mail.module.css';

export function Clip({ text }: { text: string }) {
  return (
    <svg className={s.clip} viewBox="0 0 16 16" role="img" aria-label={text}>
      <title>{text}</title>
      <path d="m13 7-5.2 5.2a3 3 0 0 1-4.3-4.3l5.6-5.6a2 2 0 0 1 2.9 2.9l-5.6 5.5a1 1 0 0 1-1.4-1.4L9.8 4.5" />
    </svg>
  );
}
