// What the stack says about itself: the issuer and the public client of this page.
import { base } from './base';

export type Config = {
  issuer: string;
  client_id: string;
  scope: string;
  audience: string;
  resource: string | null;
  version: string;
};

export async function loadConfig(): Promise<Config> {
  const answer = await fetch(`${base.console}/config.json`, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`The console's configuration was answered with ${answer.status}.`);
  const config = (await answer.json()) as Partial<Config>;
  const missing = (['issuer', 'client_id', 'audience'] as const).filter((key) => !config[key]);
  if (missing.length > 0) throw new Error(`The console's configuration lacks ${missing.join(', ')}.`);
  return { scope: 'openid profile email', resource: null, version: '', ...config } as Config;
}
