// A labelled field with its hint and its fault; both are read out with it.
import { useId, type ComponentProps, type ReactNode } from 'react';
import s from './ui.module.css';

type Told = { label: ReactNode; hint?: ReactNode; fault?: string | undefined };
type Wired = { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined };

export function Field({ label, hint, fault, children }: Told & { children: (wired: Wired) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined;
  return (
    <div className={s.field}>
      <label className={s.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': fault ? true : undefined })}
      {hint && (
        <div className={s.hint} id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {fault && (
        <div className={s.fault} id={`${id}-fault`} role="alert">
          {fault}
        </div>
      )}
    </div>
  );
}

export function TextField({ label, hint, fault, ...rest }: Told & ComponentProps<'input'>) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => <input {...rest} {...wired} className={s.input} />}
    </Field>
  );
}

export function TextArea({ label, hint, fault, ...rest }: Told & ComponentProps<'textarea'>) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => <textarea {...rest} {...wired} className={s.input} />}
    </Field>
  );
}

export function SelectField({ label, hint, fault, ...rest }: Told & ComponentProps<'select'>) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => <select {...rest} {...wired} className={s.input} />}
    </Field>
  );
}
