import { INTERNAL_HEADER } from '@tallygate/platform';
import { z } from 'zod';
import { CorrectionTargets } from '../service/ports';
import type { CorrectionTarget, Identity } from '../service/ports';
import type { UsageCounts } from '../service/usage-counts';
import type { HttpIdentityLookupOptions } from './http-identity-lookup';

const target = z.object({
  source: z.string(),
  id: z.string(),
  customerId: z.string(),
  type: z.string().nullable(),
  meters: z.array(z.string()),
});
const answerSchema = z.object({ events: z.array(target) });

/** A correction is rare and waits for nobody's usage: it may ask for longer than a look-up on the way of usage. */
const PATIENCE_MS = 2_000;

/** Asks the ledger: POST /internal/booked-events {tenantId, identities: [{source, id}]} answers {events: [...]}. */
export class HttpCorrectionTargets extends CorrectionTargets {
  constructor(
    private readonly options: HttpIdentityLookupOptions,
    private readonly counts: UsageCounts,
  ) {
    super();
  }

  override async find(
    tenantId: string,
    identities: readonly Identity[],
  ): Promise<readonly CorrectionTarget[]> {
    const asked = identities.map(({ source, id }) => ({ source, id }));
    try {
      return answerSchema.parse(await this.ask({ tenantId, identities: asked })).events;
    } catch {
      this.counts.lookupMissed();
      return [];
    }
  }

  private async ask(body: unknown): Promise<unknown> {
    const { ledgerUrl, internalSecret } = this.options;
    const response = await fetch(new URL('/internal/booked-events', ledgerUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [INTERNAL_HEADER]: internalSecret },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) throw new Error(`The ledger answered ${response.status}`);
    return response.json();
  }
}
