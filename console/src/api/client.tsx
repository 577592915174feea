// The API as the views use it: one client per session, from the package that everybody else uses too.
import { createClient, type Client } from 'email-connectors-client';
import { createContext, use } from 'react';
import { apiUrl } from '../app/base';

export type Api = Client;

type Tokens = { token(): Promise<string>; refuse(): void };

/** A call waits for its token: while nobody is signed in any more, until somebody is again. */
export function createApi(tokens: Tokens): Api {
  return createClient({
    baseUrl: apiUrl(),
    token: () => tokens.token(),
    unauthorized: async () => {
      tokens.refuse();
      await tokens.token();
      return true;
    },
  });
}

const ApiContext = createContext<Api | null>(null);
export const ApiProvider = ApiContext;

export function useApi(): Api {
  const api = use(ApiContext);
  if (!api) throw new Error('There is no API around this view.');
  return api;
}
