/** What a provider's API key may do. */
export const SCOPES = ['admin', 'usage:write', 'read', 'write', 'gate'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who makes a request: a tenant's key, or the operator of the whole installation (`root`, no tenant). */
export interface Principal {
  readonly tenantId: string;
  readonly mode: 'test' | 'live';
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

/** Answers whose API key this is. Billing owns the keys; other services ask it and keep the answer for a short time. */
export abstract class KeyDirectory {
  /** @param secretHash SHA-256 of the whole key, hex. Null when no such key is valid now. */
  abstract find(secretHash: string): Promise<Principal | null>;
}
