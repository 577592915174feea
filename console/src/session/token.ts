// Which of the two tokens the API takes. It wants a JWT for its audience: at some issuers that is the access token, at others the id token.

type Tokens = { access_token?: string | undefined; id_token?: string | undefined };
type Claims = { aud?: string | string[]; iat?: number; exp?: number };

export function claimsOf(token: string | undefined): Claims | null {
  const parts = token?.split('.') ?? [];
  if (parts.length !== 3) return null;
  try {
    const text = atob(parts[1]!.replace(/-/g, '+').replace(/_/g, '/'));
    const claims: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : null;
  } catch {
    return null;
  }
}

function isFor(claims: Claims | null, audience: string): boolean {
  return claims !== null && [claims.aud].flat().includes(audience);
}

/** The access token if it is a JWT for the audience, otherwise the id token. */
export function tokenFor(tokens: Tokens, audience: string): string | undefined {
  if (isFor(claimsOf(tokens.access_token), audience)) return tokens.access_token;
  return tokens.id_token ?? tokens.access_token;
}

/** For how many seconds it was made, if it says so. Its times are the issuer's; this machine's clock may be another. */
export function lifetimeOf(token: string | undefined): number | undefined {
  const { iat, exp } = claimsOf(token) ?? {};
  return typeof iat === 'number' && typeof exp === 'number' && exp > iat ? exp - iat : undefined;
}
