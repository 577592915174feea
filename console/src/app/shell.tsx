// The frame around every room: where you can go, who you are, light or dark.
import { Suspense, type ReactNode } from 'react';
import { NavLink } from 'react-router';
import { useMay, useMeIfKnown } from '../api/me';
import { useSession, useSessionState } from '../session/context';
import { Button, Forbidden, Loading, Logo } from '../ui';
import { Boundary } from './boundary';
import { rooms, type Room } from './routes';
import s from './shell.module.css';
import { useTheme, type Theme } from './theme';

export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className={s.shell}>
      <a className={s.skip} href="#main" onClick={skip}>
        Skip to the content
      </a>
      <aside className={s.side}>
        <div className={s.brand}>
          <Logo size={22} />
          email-connectors
        </div>
        <Rooms />
        <Person />
      </aside>
      <main id="main" className={s.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

// By script, so that the address stays the view's own.
function skip(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Rooms() {
  // A failure is told by the view beside it, once.
  const may = useMeIfKnown()?.may ?? [];
  return (
    <nav className={s.nav} aria-label="Console">
      {rooms
        .filter((room) => may.includes(room.may))
        .map((room) => (
          <NavLink key={room.path} to={`/${room.path}`} className={({ isActive }) => (isActive ? `${s.link} ${s.here}` : s.link!)}>
            {room.label}
          </NavLink>
        ))}
    </nav>
  );
}

function Person() {
  const session = useSession();
  const state = useSessionState();
  const [theme, setTheme] = useTheme();
  const name = 'person' in state ? state.person.name : '';
  return (
    <div className={s.person}>
      <div className={s.name} title={name}>
        {name}
      </div>
      <label className={s.themeLabel} htmlFor="theme">
        Theme
      </label>
      <select id="theme" aria-label="Theme" className={s.theme} value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
      <Button small onClick={() => void session.signOut()}>
        Sign out
      </Button>
    </div>
  );
}

export function RoomView({ room }: { room: Room }) {
  return (
    <Boundary key={room.path}>
      <Suspense fallback={<Loading />}>
        <Allowed room={room} />
      </Suspense>
    </Boundary>
  );
}

function Allowed({ room }: { room: Room }) {
  const View = room.view;
  return useMay(room.may) ? <View /> : <Forbidden />;
}
