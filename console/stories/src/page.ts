// The console as a person uses it: by what can be seen and read out, never by how it is built.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Dialog, Locator, Page } from 'playwright-core';
import { LOCAL } from './chromium.js';
import { CONSOLE, gmail, type Role } from './stack.js';

export interface Look {
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

/** Of the sanitiser's own reading: a document that is only parsed has the page's policy, and applies no style anyway. */
const PARSED = /^(Applying inline style violates .* 'style-src 'self''|Setting the document's base URI to )/;

/** One browser window of one person, and all that it did beside what the story asked for. */
export class Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly dialogs: Dialog[] = [];
  /** Errors of the page's own code, and what its policy stopped. */
  readonly errors: string[] = [];
  /** Answers 403 of the API: the page asked for what the role may not do. */
  readonly forbidden: string[] = [];
  readonly requests: { url: string; frame: string; main: boolean }[] = [];

  private constructor(context: BrowserContext, page: Page) {
    [this.context, this.page] = [context, page];
    context.on('request', (request) => {
      const frame = safely(() => request.frame());
      this.requests.push({ url: request.url(), frame: frame?.url() ?? '', main: frame?.parentFrame() === null });
    });
    context.on('response', (answer) => {
      if (answer.status() === 403) this.forbidden.push(`${answer.request().method()} ${answer.url()}`);
    });
    context.on('page', (opened) => this.#watch(opened));
    this.#watch(page);
  }

  #watch(page: Page) {
    page.on('dialog', (dialog) => {
      this.dialogs.push(dialog);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      const said = message.text();
      if (/HIT|Content Security Policy|Trusted/.test(said) && !PARSED.test(said)) this.errors.push(said);
    });
  }

  static async begin(browser: Browser, { theme = 'light', width = 1280, height = 800 }: Look = {}): Promise<Visit> {
    const context = await browser.newContext({ colorScheme: theme, viewport: { width, height }, locale: 'en-GB', timezoneId: 'UTC' });
    context.setDefaultTimeout(15_000);
    return new Visit(context, await context.newPage());
  }

  async end(): Promise<void> {
    await this.context.close();
  }

  /** Opens a view by its address, as from a bookmark. Whoever is signed in at the issuer is so here. */
  open = (path = '/') => this.page.goto(`${CONSOLE}${path}`);

  /** Goes to a view within the page, as its own links do. */
  async go(path: string): Promise<void> {
    await this.page.evaluate((url) => {
      history.pushState(null, '', url);
      dispatchEvent(new PopStateEvent('popstate', { state: null }));
    }, `${CONSOLE}${path}`);
  }

  button = (name: string | RegExp) => this.page.getByRole('button', { name, exact: typeof name === 'string' });
  link = (name: string | RegExp) => this.page.getByRole('link', { name, exact: typeof name === 'string' });
  heading = (name: string | RegExp) => this.page.getByRole('heading', { name });
  text = (text: string | RegExp) => this.page.getByText(text).first();
  get rooms(): Locator {
    return this.page.getByRole('navigation', { name: 'Console' }).getByRole('link');
  }

  /** Signs in at the stack's own issuer. */
  async signIn(sub: string, role: Role = 'admin', path = '/'): Promise<void> {
    await this.open(path);
    await this.button('Sign in').click();
    await chooseUser(this.page, sub, role);
    await this.rooms.first().waitFor();
  }

  /** Opens a window by a click, and answers it. */
  async opened(click: () => Promise<unknown>): Promise<Page> {
    const [opened] = await Promise.all([this.page.waitForEvent('popup'), click()]);
    return opened;
  }

  async picture(name: string): Promise<string> {
    mkdirSync(LOCAL, { recursive: true });
    const path = join(LOCAL, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }
}

/** The issuer's page: somebody by name, in a role. */
export async function chooseUser(page: Page, sub: string, role: Role): Promise<void> {
  await page.getByLabel('Subject').fill(sub);
  await page.getByLabel('Role').selectOption(role);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The provider's page: an account, and whether it is allowed. It closes or leads back by itself. */
export async function consent(page: Page, email: string, answer: 'allow' | 'cancel' = 'allow', untick: RegExp[] = []): Promise<void> {
  await page.getByLabel('or a new one').fill(email);
  for (const scope of untick) await page.getByRole('checkbox', { name: scope }).uncheck();
  await page.getByRole('button', { name: answer === 'allow' ? /^(Allow|Accept)$/ : 'Cancel' }).click();
}

/** Begins to connect a mailbox, from a view that offers it. */
export async function begin(visit: Visit, provider = gmail): Promise<void> {
  await visit.button('Connect a mailbox').click();
  await visit.button(provider.name).click();
}

/** Connects a mailbox from a view that offers it. */
export async function connect(visit: Visit, email: string, provider = gmail): Promise<void> {
  await begin(visit, provider);
  const window = await visit.opened(() => visit.button(/^Continue to /).click());
  await consent(window, email);
  await visit.text(`${email} is connected`).waitFor();
}

/** What a row of a list says, by a text in it. */
export function row(page: Page, text: string | RegExp): Locator {
  return page.getByRole('listitem').filter({ hasText: text }).first();
}

export async function see(locator: Locator, what: string): Promise<void> {
  await locator.first().waitFor({ state: 'visible' }).catch((error: Error) => {
    throw new Error(`not seen: ${what}\n${error.message}`);
  });
}

export async function notThere(locator: Locator, what: string): Promise<void> {
  assert.equal(await locator.count(), 0, `it is there: ${what}`);
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
