import { z } from 'zod';
import { problem } from '../http/problem';
import { INTERNAL_HEADER } from './internal-guard';
import { KeyDirectory, SCOPES } from './principal';
import type { Principal } from './principal';

const principalSchema = z.object({
  tenantId: z.string(),
  mode: z.enum(['test', 'live']),
  keyId: z.string(),
  scopes: z.array(z.enum(SCOPES)),
});
const answerSchema = z.object({ principal: principalSchema.nullable() });

export interface HttpKeyDirectoryOptions {
  readonly billingUrl: string;
  readonly internalSecret: string;
  readonly timeoutMs?: number;
}

/** Asks billing, which owns the keys: POST /internal/api-keys/introspect {hash} answers {principal} or {principal: null}. */
export class HttpKeyDirectory extends KeyDirectory {
  constructor(private readonly options: HttpKeyDirectoryOptions) {
    super();
  }

  override async find(secretHash: string): Promise<Principal | null> {
    const answer = answerSchema.safeParse(await this.ask(secretHash));
    if (!answer.success) throw keysUnavailable('Billing gave an answer that is not understood.');
    return answer.data.principal;
  }

  private async ask(hash: string): Promise<unknown> {
    const { billingUrl, internalSecret, timeoutMs = 2_000 } = this.options;
    try {
      const response = await fetch(new URL('/internal/api-keys/introspect', billingUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', [INTERNAL_HEADER]: internalSecret },
        body: JSON.stringify({ hash }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw keysUnavailable(`Billing answered ${response.status}.`);
      return await response.json();
    } catch (error) {
      throw error instanceof Error && error.name === 'ProblemException'
        ? error
        : keysUnavailable('Billing, which owns the API keys, cannot be reached.');
    }
  }
}

/** 503 and not 401: a caller must not throw away a good key because billing restarts. */
export function keysUnavailable(detail: string) {
  return problem(503, 'key_directory_unavailable', 'API keys cannot be checked now', { detail });
}
