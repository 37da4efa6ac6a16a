import { INTERNAL_HEADER } from '@tallygate/platform';
import { z } from 'zod';
import { IdentityLookup } from '../service/ports';
import type { UsageCounts } from '../service/usage-counts';

const answerSchema = z.object({
  known: z.array(z.object({ identity: z.string(), payloadHash: z.string() })),
});

export interface HttpIdentityLookupOptions {
  readonly ledgerUrl: string;
  readonly internalSecret: string;
  /** After this long the event goes on without an answer. */
  readonly patienceMs?: number;
}

/** Asks the ledger: POST /internal/identities {identities: […]} answers {known: [{identity, payloadHash}]}. */
export class HttpIdentityLookup extends IdentityLookup {
  constructor(
    private readonly options: HttpIdentityLookupOptions,
    private readonly counts: UsageCounts,
  ) {
    super();
  }

  override async known(identities: readonly string[]): Promise<ReadonlyMap<string, string>> {
    try {
      const { known } = answerSchema.parse(await this.ask({ identities }));
      return new Map(known.map(({ identity, payloadHash }) => [identity, payloadHash]));
    } catch {
      this.counts.lookupMissed();
      return new Map();
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
