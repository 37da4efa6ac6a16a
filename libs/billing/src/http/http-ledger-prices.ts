import type { PriceAnnouncement, PriceAnswer } from '@tallygate/contracts';
import { INTERNAL_HEADER } from '@tallygate/platform';
import { LedgerPrices } from '../service/ports';

export interface HttpLedgerPricesOptions {
  readonly ledgerUrl: string;
  readonly internalSecret: string;
  /** Longer than a slice of usage takes. */
  readonly timeoutMs?: number;
}

/** The ledger's word on price rows, over HTTP. */
export class HttpLedgerPrices extends LedgerPrices {
  constructor(private readonly options: HttpLedgerPricesOptions) {
    super();
  }

  /**
   * Where an answer or a withdrawal is lost, or the work threw and may have stated the rows all the same, usage that waits
   * for them goes on waiting until the catalog's next revision: it is never rated by a row that may be the wrong one. The
   * same request again brings that revision.
   */
  override async announced<T>(
    announcement: PriceAnnouncement,
    work: () => Promise<{ readonly stated: boolean; readonly value: T }>,
  ) {
    const answer = (await this.ask('announce', announcement)) as PriceAnswer | null;
    if (answer === null) {
      await this.withdraw(announcement);
      return { outcome: 'unreachable' as const };
    }
    if (answer.outcome === 'refused') return answer;
    const { stated, value } = await work();
    if (!stated) await this.withdraw(announcement);
    return { outcome: 'worked' as const, value };
  }

  private async withdraw({ id, tenantId }: PriceAnnouncement): Promise<void> {
    await this.ask('withdraw', { id, tenantId });
  }

  /** @returns null when there was no answer */
  private async ask(what: 'announce' | 'withdraw', body: object): Promise<unknown> {
    const { ledgerUrl, internalSecret, timeoutMs = 10_000 } = this.options;
    try {
      const response = await fetch(new URL(`/internal/prices/${what}`, ledgerUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', [INTERNAL_HEADER]: internalSecret },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}
