// Light, dark, or as the system says: the choice is kept in localStorage.
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'email-connectors.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export function applyTheme(theme: Theme = stored()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  return [
    theme,
    (next) => {
      setTheme(next);
      applyTheme(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // A browser without storage forgets the choice.
      }
    },
  ];
}
