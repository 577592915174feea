// Buttons, and links that look like one.
import type { ComponentProps } from 'react';
import { Link } from 'react-router';
import s from './ui.module.css';

type Look = { look?: 'plain' | 'primary' | 'danger' | 'quiet'; small?: boolean };

const classOf = ({ look = 'plain', small }: Look, more?: string) =>
  [s.button, look !== 'plain' && s[look], small && s.small, more].filter(Boolean).join(' ');

export type ButtonProps = ComponentProps<'button'> & Look & { busy?: boolean };

/** A busy button keeps the focus and says that it is busy, but does nothing. */
export function Button({ look, small, busy = false, className, children, onClick, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type === 'submit' && busy ? 'button' : type}
      className={classOf({ ...(look && { look }), ...(small && { small }) }, className)}
      aria-disabled={busy || rest.disabled ? true : undefined}
      aria-busy={busy || undefined}
      onClick={busy ? undefined : onClick}
    >
      {busy && <span className={s.spinner} aria-hidden="true" />}
      {children}
    </button>
  );
}

export function ButtonLink({ look, small, className, ...rest }: ComponentProps<typeof Link> & Look) {
  return <Link {...rest} className={classOf({ ...(look && { look }), ...(small && { small }) }, className)} />;
}
