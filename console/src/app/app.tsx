// From an empty page to the right one: the page that a consent returns to, the page that connects, or the shell.
import { lazy, Suspense } from 'react';
import { BrowserRouter, Route, Routes } from 'react-router';
import { Loading, Toasts } from '../ui';
import { base } from './base';
import { Boundary } from './boundary';
import SignedIn from './signed-in';

const Connect = lazy(() => import('../connect'));
const Callback = lazy(() => import('../consent/callback'));

export function App() {
  return (
    <BrowserRouter basename={base.console || '/'}>
      <Toasts>
        <Suspense fallback={<Loading />}>
          <Boundary>
            <Routes>
              <Route path="auth/:house/callback" element={<Callback />} />
              <Route path="connect" element={<Connect />} />
              <Route path="*" element={<SignedIn />} />
            </Routes>
          </Boundary>
        </Suspense>
      </Toasts>
    </BrowserRouter>
  );
}
