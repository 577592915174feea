// The names under which answers are kept. One place, so that a change knows what it makes stale.

export const keys = {
  me: ['me'] as const,
  info: ['info'] as const,
  system: ['system'] as const,
  connectors: ['connectors'] as const,
  connector: (id: string) => ['connectors', id] as const,
  connectorHealth: (id: string) => ['connectors', id, 'health'] as const,
  triggers: ['triggers'] as const,
  trigger: (id: string) => ['triggers', id] as const,
  firings: ['firings'] as const,
  firingsOf: (trigger: string) => ['firings', trigger] as const,
  mail: (connector: string, ...rest: unknown[]) => ['mail', connector, ...rest] as const,
};
