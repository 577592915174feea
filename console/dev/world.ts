// A small world for development without a stack: mailboxes, users, and what the API says of them. It forgets all at a restart.
import type { Connector, ConnectorHealth, HealthFinding, Me } from 'email-connectors-client';

export const now = () => Date.now();
export const ago = (seconds: number) => new Date(now() - seconds * 1000).toISOString();

export const MAY: Record<string, Me['may']> = {
  viewer: ['see'],
  operator: ['see', 'connect', 'operate', 'fire', 'read_mail'],
  admin: ['see', 'connect', 'operate', 'fire', 'read_mail', 'write_mail', 'delete', 'export', 'erase'],
};

export function connector(id: string, address: string, change: Partial<Connector> = {}): Connector {
  return {
    id,
    owner_id: 'user-17',
    type: 'email',
    provider: 'gmail',
    email_address: address,
    label: null,
    status: 'active',
    granted_scopes: ['openid', 'https://www.googleapis.com/auth/userinfo.email', 'https://www.googleapis.com/auth/gmail.modify'],
    capabilities: ['read_headers', 'read', 'modify', 'draft', 'send'],
    paused: false,
    history_id: '1018',
    watch: { status: 'active', expiration: ago(-6 * 86_400), renewed_at: ago(86_400), verified_at: ago(86_100) },
    circuit: { state: 'closed', failures: 0 },
    parked_messages: 0,
    credentials: '[redacted]',
    last_event_at: ago(340),
    last_error: null,
    created_at: ago(40 * 86_400),
    updated_at: ago(60),
    ...change,
  } as Connector;
}

export class World {
  connectors: Connector[] = [
    connector('con_019b78ef2a6c7e519d0b4c8f1a2e3d40', 'ada@example.com', { label: 'Invoices' }),
    connector('con_019b78ef2a6c7e519d0b4c8f1a2e3d41', 'support@example.com', {
      status: 'needs_reauth',
      last_event_at: ago(3 * 86_400),
      last_error: 'Google no longer honours the grant (invalid_grant)',
    }),
    connector('con_019b78ef2a6c7e519d0b4c8f1a2e3d42', 'orders@long-name-of-a-company.example', {
      watch: { status: 'failed', failure: { at: ago(900), reason: 'User not authorized to perform this action', times: 3 } },
      parked_messages: 2,
      paused: true,
    }),
  ];

  healthOf(connector: Connector): ConnectorHealth {
    const findings: HealthFinding[] = [];
    const find = (code: HealthFinding['code'], severity: HealthFinding['severity'], what: string, remedy: string, runbook?: string) =>
      findings.push({ code, severity, what, remedy, runbook: runbook ? `docs/operations.md#${runbook}` : null });
    if (connector.status === 'needs_reauth') {
      find('needs_reauth', 'down', 'Google no longer honours the grant', 'Have the user connect the same Google account again; the mail that came meanwhile fires then.', 'token-refresh-failure');
    }
    if (connector.watch.status === 'failed') {
      find('watch_failed', 'degraded', 'Gmail refused every watch so far: mail is found by comparing, every 15 minutes', `Mend what the reason names (usually Gmail's right to publish to the topic), then: \`connectors renew ${connector.id}\``, 'push-notifications-stopped');
    }
    if (connector.parked_messages > 0) {
      find('messages_parked', 'degraded', `${connector.parked_messages} messages failed again and again, and were set aside`, `They are tried again by themselves, at last once a day; at once: \`connectors replay parked ${connector.id}\``, 'dead-letters');
    }
    if (connector.paused) find('paused', 'note', 'its owner paused it: mail that arrives now never fires', `To go on: \`connectors enable ${connector.id}\``);
    const worst = findings.some(({ severity }) => severity === 'down') ? 'down' : findings.some(({ severity }) => severity === 'degraded') ? 'degraded' : 'healthy';
    return {
      id: connector.id,
      email_address: connector.email_address,
      status: worst,
      checked_at: ago(0),
      freshness: { behind: false, last_looked_at: ago(95), last_swept_at: ago(200), next_look_at: ago(-800), last_event_at: connector.last_event_at ?? null },
      watch: connector.watch,
      auth: { status: connector.status, granted_at: ago(86_400 * 9), granted_scopes: connector.granted_scopes, missing_scopes: [] },
      circuit: connector.circuit,
      quota: { units_per_minute: 6000, spent: 145, left: 5855 },
      backlog: { unpublished_events: 0, parked_messages: connector.parked_messages, failing_messages: 0, listing: false },
      triggers: 2,
      paused: connector.paused,
      last_error: connector.last_error ?? null,
      findings,
    };
  }
}
