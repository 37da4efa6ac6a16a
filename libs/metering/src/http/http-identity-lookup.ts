import { INTERNAL_HEADER } from '@tallygate/platform';
import { z } from 'zod';
import { IdentityLookup } from '../service/ports';
import type { Identity, KnownIdentity } from '../service/ports';
import type { UsageCounts } from '../service/usage-counts';

const answerSchema = z.object({
  known: z.array(z.object({ source: z.string(), id: z.string(), payloadHash: z.string() })),
});

export interface HttpIdentityLookupOptions {
  readonly ledgerUrl: string;
  readonly internalSecret: string;
  /** After this long the event goes on without an answer. */
  readonly patienceMs?: number;
}

/** Asks the ledger: POST /internal/identities {tenantId, identities: [{source, id}]} answers {known: [{source, id, payloadHash}]}. */
export class HttpIdentityLookup extends IdentityLookup {
  constructor(
    private readonly options: HttpIdentityLookupOptions,
    private readonly counts: UsageCounts,
  ) {
    super();
  }

  override async known(tenantId: string, identities: readonly Identity[]): Promise<readonly KnownIdentity[]> {
    const asked = identities.map(({ source, id }) => ({ source, id }));
    try {
      return answerSchema.parse(await this.ask({ tenantId, identities: asked })).known;
    } catch {
      this.counts.lookupMissed();
      return [];
    }
  }

  private async ask(body: unknown): Promise<unknown> {
    const { ledgerUrl, internalSecret, patienceMs = 50 } = this.options;
    const response = await fetch(new URL('/internal/identities', ledgerUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [INTERNAL_HEADER]: internalSecret },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patienceMs),
    });
    if (!response.ok) throw new Error(`The ledger answered ${response.status}`);
    return response.json();
  }
}
