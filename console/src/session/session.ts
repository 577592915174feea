// Who is signed in. Tokens are held in memory and nowhere else; what a redirect needs (PKCE) waits in sessionStorage.
import { InMemoryWebStorage, UserManager, WebStorageStateStore, type User } from 'oidc-client-ts';
import { consoleUrl } from '../app/base';
import type { Config } from '../app/config';
import { isSignedInHere, rememberSignedIn } from './known';
import { lifetimeOf, tokenFor } from './token';

export type Person = { name: string };
export type State =
  | { is: 'starting' }
  | { is: 'signed-out'; reason?: string }
  | { is: 'signed-in'; person: Person }
  | { is: 'ended'; person: Person };

/** A token is renewed when it has less than this left, so that a slow request does not outlive it. */
const MARGIN_SECONDS = 20;

export class Session {
  readonly #manager: UserManager;
  readonly #config: Config;
  readonly #leave: (url: string) => void;
  readonly #watchers = new Set<() => void>();
  #state: State = { is: 'starting' };
  #user: User | null = null;
  #endsAt = 0;
  /** The page is on its way elsewhere. */
  #left = false;
  #renewal: Promise<User | null> | null = null;
  #resumed: { promise: Promise<void>; resolve: () => void } | null = null;

  constructor(config: Config, leave: (url: string) => void = (url) => location.assign(url)) {
    this.#config = config;
    this.#leave = leave;
    this.#manager = new UserManager({
      authority: config.issuer,
      client_id: config.client_id,
      redirect_uri: consoleUrl('/auth/callback'),
      silent_redirect_uri: consoleUrl('/auth/silent'),
      popup_redirect_uri: consoleUrl('/auth/popup'),
      post_logout_redirect_uri: consoleUrl(''),
      scope: config.scope,
      // Auth0 reads `audience`, RFC 8707 says `resource`; an issuer ignores the one that it does not know.
      ...(config.resource ? { resource: config.resource, extraQueryParams: { audience: config.resource } } : {}),
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      automaticSilentRenew: false,
      monitorSession: false,
      loadUserInfo: false,
      silentRequestTimeoutInSeconds: 6,
    });
  }

  get state(): State {
    return this.#state;
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  snapshot = (): State => this.#state;

  #become(state: State): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }

  /**
   * Whose token is used from now on. Another person must not go on with the page of the one before:
   * it starts anew, and false is returned.
   */
  #take(user: User): boolean {
    const before = this.#user?.profile.sub;
    if (before !== undefined && before !== user.profile.sub) {
      this.#left = true;
      this.#leave(consoleUrl(''));
      return false;
    }
    this.#user = user;
    this.#endsAt = this.#endOf(user);
    rememberSignedIn(true);
    this.#become({ is: 'signed-in', person: personOf(user) });
    this.#resumed?.resolve();
    this.#resumed = null;
    return true;
  }

  /** In milliseconds, by this machine's clock, whether that is right or not. */
  #endOf(user: User): number {
    const seconds = lifetimeOf(tokenFor(user, this.#config.audience)) ?? user.expires_in ?? Infinity;
    return Date.now() + 1000 * (seconds - Math.min(MARGIN_SECONDS, seconds / 2));
  }

  /**
   * After a reload, or in a new tab: whoever was signed in here and is so at the issuer goes on, without a page in between. Nobody else
   * waits for the issuer, nor is it told of the visit.
   */
  async start(): Promise<void> {
    const user = isSignedInHere() ? await this.#silently() : null;
    if (user) this.#take(user);
    else this.#becomeSignedOut();
  }

  #becomeSignedOut(reason?: string): void {
    rememberSignedIn(false);
    this.#become(reason ? { is: 'signed-out', reason } : { is: 'signed-out' });
  }

  /** Leaves the page. `carry` comes back with the person. */
  async signIn(carry?: unknown): Promise<void> {
    const back = location.pathname + location.search;
    await this.#manager.signinRedirect({ state: { back, carry } });
  }

  /** On the page that the issuer returns to: where the person wanted to go, and what was carried. */
  async finishSignIn(): Promise<{ back: string | undefined; carry: unknown }> {
    const user = await this.#manager.signinRedirectCallback();
    this.#take(user);
    const { back, carry } = (user.state ?? {}) as { back?: unknown; carry?: unknown };
    return { back: typeof back === 'string' ? back : undefined, carry };
  }

  /** In a popup, while the page stays as it is with all that was typed. */
  async signInAgain(): Promise<void> {
    this.#take(await this.#manager.signinPopup({ popupWindowFeatures: { width: 480, height: 680 } }));
  }

  async signOut(): Promise<void> {
    const hint = this.#user?.id_token;
    this.#left = true;
    rememberSignedIn(false);
    try {
      // `logout_uri` beside the standard's parameters: Amazon Cognito knows no other.
      const extraQueryParams = { logout_uri: consoleUrl('') };
      await this.#manager.signoutRedirect({ extraQueryParams, ...(hint && { id_token_hint: hint }) });
    } catch {
      // An issuer without end_session: signed out here at least.
      await this.#manager.removeUser();
      this.#left = false;
      this.#user = null;
      this.#becomeSignedOut('You are signed out of the console. Your identity provider may still know you.');
    }
  }

  /** The token to send. Renews it silently; if that fails, waits until the person has signed in again. */
  async token(): Promise<string> {
    if (!this.#left && (!this.#user || Date.now() >= this.#endsAt)) {
      const renewed = await this.#silently();
      if (renewed) this.#take(renewed);
      else await this.#untilResumed();
    }
    const token = this.#user && !this.#left ? tokenFor(this.#user, this.#config.audience) : undefined;
    // Nothing is asked any more by a page that is being left.
    return token ?? new Promise(() => {});
  }

  /** The API refused the token: however long it would last, it is not used again. */
  refuse(): void {
    this.#endsAt = 0;
  }

  #silently(): Promise<User | null> {
    this.#renewal ??= this.#manager
      .signinSilent()
      .catch(() => null)
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  #untilResumed(): Promise<void> {
    if (!this.#resumed) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#resumed = { promise, resolve };
      const person = this.#user ? personOf(this.#user) : { name: '' };
      this.#become({ is: 'ended', person });
    }
    return this.#resumed.promise;
  }
}

function personOf(user: User): Person {
  const { name, email, preferred_username, sub } = user.profile;
  return { name: name ?? email ?? preferred_username ?? sub };
}
