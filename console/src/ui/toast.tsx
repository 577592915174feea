// Short words on what was done. They are read out, and never the only place where a failure is told.
import { createContext, use, useCallback, useRef, useState, type ReactNode } from 'react';
import s from './ui.module.css';

const SHOWN_MS = 6_000;
const ToastContext = createContext<(text: string) => void>(() => {});

export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ id: number; text: string }[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => setShown((all) => all.filter((each) => each.id !== id)), []);
  const show = useCallback(
    (text: string) => {
      const id = next.current++;
      setShown((all) => [...all.slice(-2), { id, text }]);
      setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  return (
    <ToastContext value={show}>
      {children}
      <div className={s.toasts} role="status" aria-live="polite">
        {shown.map(({ id, text }) => (
          <div key={id} className={s.toast}>
            <span>{text}</span>
            <button type="button" aria-label="Dismiss" onClick={() => drop(id)}>
              ×
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

export function useToast(): (text: string) => void {
  return use(ToastContext);
}
