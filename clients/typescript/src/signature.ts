// `X-Signature` of webhook triggers: `t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`.

/** How far a signature's time may be from now, either way, in seconds. */
export const SIGNATURE_TOLERANCE = 300;

const FORM = /^t=(\d{1,15}),v1=([0-9a-fA-F]{64})$/;

/** Makes the header for a body that is sent now. The body must be sent byte for byte as it is given here. */
export async function sign(secret: string, body: string | Uint8Array, now = new Date()): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret, 'sign'), signed(seconds, body));
  const hex = Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `t=${seconds},v1=${hex}`;
}

/**
 * Checks a header: its form, its time and its signature, which WebCrypto compares in constant time.
 * With several secrets, as while one is replaced, any may have made it.
 */
export async function verify(
  secrets: string | readonly string[],
  header: string | null | undefined,
  body: string | Uint8Array,
  now = new Date(),
): Promise<boolean> {
  const [, time, hex] = FORM.exec(header ?? '') ?? [];
  if (time === undefined || hex === undefined) return false;
  const seconds = Number(time);
  const timely = Math.abs(now.getTime() / 1000 - seconds) < SIGNATURE_TOLERANCE;
  const mac = Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
  const over = signed(time, body);
  let good = false;
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets) {
    good = (await crypto.subtle.verify('HMAC', await keyOf(secret, 'verify'), mac, over)) || good;
  }
  return good && timely;
}

function keyOf(secret: string, use: 'sign' | 'verify'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    use,
  ]);
}

function signed(seconds: number | string, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const [head, rest] = [encoder.encode(`${seconds}.`), typeof body === 'string' ? encoder.encode(body) : body];
  const whole = new Uint8Array(head.length + rest.length);
  whole.set(head);
  whole.set(rest, head.length);
  return whole;
}
