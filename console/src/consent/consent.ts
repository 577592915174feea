// One consent after the other: a window is opened, its answer comes back, and the API connects the mailbox.
import type { Connect, Connected, OfferedProvider } from 'email-connectors-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Api } from '../api/client';
import { BLOCKED, CLOSED, failure, refusal, type Outcome } from './outcome';
import { leave } from './redirect';
import { callbackOf, listen, type Returned } from './returned';

export type Step =
  | { is: 'idle' }
  | { is: 'opening' }
  | { is: 'waiting' }
  | { is: 'connecting' }
  | { is: 'connected'; connected: Connected }
  /** Somebody with more rights has to allow the app first, at this address. */
  | { is: 'administrator'; url: string; refused?: true }
  | { is: 'allowed' }
  | { is: 'failed'; outcome: Outcome };

type Options = {
  api: Pick<Api, 'consent'>;
  provider: OfferedProvider;
  loginHint?: string | undefined;
  /** Of the page that connects for another product, which must know it again after a redirect. */
  session?: string;
  onConnected?: (connected: Connected) => void;
};

const LOOK_MS = 400;

export function useConsent(options: Options) {
  const latest = useRef(options);
  const [step, setStep] = useState<Step>({ is: 'idle' });
  const ended = useRef<() => void>(() => {});
  const request = useRef<Connect | null>(null);
  const blocked = useRef<(() => void) | null>(null);

  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => () => ended.current(), []);

  const send = useCallback(async (body: Connect) => {
    const { api, provider, onConnected } = latest.current;
    request.current = body;
    setStep({ is: 'connecting' });
    try {
      const connected = await api.consent.finish(provider, body);
      setStep({ is: 'connected', connected });
      onConnected?.(connected);
    } catch (error) {
      setStep({ is: 'failed', outcome: failure(error) });
    }
  }, []);

  /** Must be called by a click, or the browser blocks the window. */
  const ask = useCallback(
    async (replace = false) => {
      ended.current();
      const { api, provider, loginHint, session } = latest.current;
      const callback_url = callbackOf(provider);
      const popup = window.open('', '_blank', popupFeatures());
      setStep({ is: 'opening' });
      try {
        const { authorization_url, state } = await api.consent.start(provider, {
          callback_url,
          ...(loginHint && { login_hint: loginHint }),
        });
        blocked.current = () => leave({ state, connect: provider.connect, replace, ...(session && { session }) }, authorization_url);
        if (!popup || popup.closed) {
          setStep({ is: 'failed', outcome: BLOCKED });
          return;
        }
        popup.location.replace(authorization_url);
        setStep({ is: 'waiting' });
        ended.current = follow(popup, state, {
          returned: (returned) => {
            if (!returned.code) setStep({ is: 'failed', outcome: refusal(returned) });
            else void send({ auth_code: returned.code, state, callback_url, ...(replace && { replace }) });
          },
          closed: () => setStep((now) => (now.is === 'waiting' ? { is: 'failed', outcome: CLOSED } : now)),
        });
      } catch (error) {
        popup?.close();
        setStep({ is: 'failed', outcome: withoutCode(failure(error)) });
      }
    },
    [send],
  );

  /** Where an administrator allows the app for everybody. The answer is heard if it comes to this browser. */
  const askAdministrator = useCallback(async () => {
    ended.current();
    const { api, provider } = latest.current;
    const { admin_consent } = provider;
    if (!admin_consent) return;
    try {
      const { admin_consent_url: url } = await api.consent.forOrganization({ admin_consent }, { callback_url: callbackOf(provider) });
      setStep({ is: 'administrator', url });
      ended.current = listen(new URL(url).searchParams.get('state') ?? '', ({ error }) =>
        setStep(error === undefined ? { is: 'allowed' } : { is: 'administrator', url, refused: true }),
      );
    } catch (error) {
      setStep({ is: 'failed', outcome: withoutCode(failure(error)) });
    }
  }, []);

  return {
    step,
    provider: options.provider,
    ask,
    askAdministrator,
    openForAdministrator: (url: string) => void window.open(url, '_blank', popupFeatures()),
    resend: () => request.current && void send(request.current),
    openHere: () => blocked.current?.(),
    /** The answer of a consent in the same tab. */
    resume: (returned: Returned, replace: boolean) => {
      if (!returned.code) setStep({ is: 'failed', outcome: refusal(returned) });
      else {
        const callback_url = callbackOf(latest.current.provider);
        void send({ auth_code: returned.code, state: returned.state, callback_url, ...(replace && { replace }) });
      }
    },
  };
}

/** There is no code yet that could be sent once more. */
function withoutCode(outcome: Outcome): Outcome {
  return { ...outcome, ways: outcome.ways.filter((way) => way !== 'resend') };
}

type Ends = { returned: (returned: Returned) => void; closed: () => void };

/**
 * Where the provider cuts the window off from its opener, a window that is open looks closed. So the
 * channel is listened to on, and an answer that comes after all is taken.
 */
function follow(popup: Window, state: string, ends: Ends): () => void {
  const look = setInterval(() => {
    if (!popup.closed) return;
    clearInterval(look);
    // An answer that was handed over just before the window closed comes first.
    setTimeout(() => !taken && ends.closed(), 2 * LOOK_MS);
  }, LOOK_MS);
  let taken = false;
  const silence = listen(state, (returned) => {
    taken = true;
    clearInterval(look);
    silence();
    ends.returned(returned);
  });
  return () => {
    taken = true;
    clearInterval(look);
    silence();
  };
}

function popupFeatures(): string {
  const [width, height] = [520, 720];
  const left = Math.max(0, window.screenX + (window.outerWidth - width) / 2);
  const top = Math.max(0, window.screenY + (window.outerHeight - height) / 2);
  return `popup,width=${width},height=${height},left=${Math.round(left)},top=${Math.round(top)}`;
}
