// Every room of the console, one line each. A room is loaded when it is first entered, and has routes of its own below its path.
import { lazy, type ComponentType } from 'react';
import type { May } from '../api/me';

export type Room = {
  path: string;
  label: string;
  may: May;
  view: ComponentType;
};

export const rooms: Room[] = [
  { path: 'connectors', label: 'Connectors', may: 'see', view: lazy(() => import('../connectors')) },
  { path: 'triggers', label: 'Triggers', may: 'see', view: lazy(() => import('../triggers')) },
  { path: 'firings', label: 'What fired', may: 'see', view: lazy(() => import('../firings')) },
  { path: 'mail', label: 'Mail', may: 'read_mail', view: lazy(() => import('../mail')) },
  { path: 'system', label: 'System', may: 'see', view: lazy(() => import('../system')) },
];
