// The two pages that belong to others: an identity provider's sign-in and a mail provider's consent. Tokens here are signed by nobody.

const page = (title: string, links: [string, string][]) =>
  new Response(
    `<!doctype html><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1>${links
      .map(([text, href]) => `<p><a href="${href.replace(/&/g, '&amp;')}">${text}</a></p>`)
      .join('')}`,
    { headers: { 'content-type': 'text/html' } },
  );

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object) => `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${part('none')}`;

/** How long a token lives; a short time tries what happens at its end. */
const TOKEN_SECONDS = Number(process.env['MOCK_TOKEN_SECONDS'] ?? 3600);

export async function answerAsOthers(request: Request): Promise<Response | null> {
  const url = new URL(request.url);
  const { pathname, searchParams: query } = url;
  const issuer = `${url.origin}/mock-idp`;
  if (pathname === '/mock-idp/.well-known/openid-configuration') {
    return Response.json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      end_session_endpoint: `${issuer}/logout`,
      jwks_uri: `${issuer}/jwks`,
    });
  }
  if (pathname === '/mock-idp/authorize') return authorize(request, query);
  if (pathname === '/mock-idp/token') {
    const form = new URLSearchParams(await request.text());
    const role = form.get('code') ?? 'admin';
    const seconds = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, sub: role, iat: seconds, exp: seconds + TOKEN_SECONDS, name: `A ${role}`, role };
    return Response.json({
      access_token: jwt({ ...claims, aud: 'mock-api' }),
      id_token: jwt({ ...claims, aud: form.get('client_id') }),
      token_type: 'Bearer',
      expires_in: TOKEN_SECONDS,
    });
  }
  if (pathname === '/mock-idp/logout') return back(query.get('post_logout_redirect_uri') ?? '/console/', {}, 'mock=; Path=/; Max-Age=0');
  if (pathname === '/mock-administrator') {
    const to = (answer: Record<string, string>) => withQuery(query.get('redirect_uri')!, { state: query.get('state')!, admin_consent: 'True', ...answer });
    return page('For everybody in your organization', [['Accept', to({ tenant: 't' })], ['Cancel', to({ error: 'access_denied' })]]);
  }
  if (pathname === '/mock-google' || pathname === '/mock-microsoft') {
    const to = (answer: Record<string, string>) => withQuery(query.get('redirect_uri')!, { state: query.get('state')!, ...answer });
    const hint = query.get('login_hint');
    return page('Consent', [
      ...(hint ? [[`Allow ${hint}`, to({ code: hint })] as [string, string]] : []),
      ['Allow new@example.com', to({ code: 'new@example.com' })],
      ['Allow another account', to({ code: 'other' })],
      ['Allow, but leave a box unticked', to({ code: 'unticked' })],
      ['Allow, while the provider is busy', to({ code: 'busy' })],
      ['Cancel', to({ error: 'access_denied' })],
      pathname === '/mock-google'
        ? ['Blocked by the administrator', to({ error: 'admin_policy_enforced' })]
        : ["An administrator's approval is needed", to({ error: 'access_denied', error_description: 'AADSTS90094: An administrator must grant it.' })],
    ]);
  }
  return null;
}

function authorize(request: Request, query: URLSearchParams): Response {
  const to = query.get('redirect_uri')!;
  const state = query.get('state')!;
  const known = /mock=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];
  const chosen = query.get('as');
  if (chosen) return back(to, { state, code: chosen }, `mock=${chosen}; Path=/; SameSite=Lax`);
  if (query.get('prompt') === 'none') return back(to, known ? { state, code: known } : { state, error: 'login_required' });
  const as = (role: string) => `?${new URLSearchParams({ ...Object.fromEntries(query), as: role })}`;
  return page('Sign in', ['admin', 'operator', 'viewer'].map((role) => [`Sign in as ${role}`, as(role)]));
}

function back(to: string, answer: Record<string, string>, cookie?: string): Response {
  const headers = new Headers({ location: withQuery(to, answer) });
  if (cookie) headers.set('set-cookie', cookie);
  return new Response(null, { status: 302, headers });
}

function withQuery(address: string, more: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url.href;
}
