import type { PayAnswer, PayRequest, RefundAnswer, RefundRequest } from '@tallygate/contracts';
import { INTERNAL_HEADER } from '@tallygate/platform';
import { CollectionPort } from '../service/ports';

export interface HttpCollectionOptions {
  readonly dunningUrl: string;
  readonly internalSecret: string;
  /** Longer than dunning waits for a provider. */
  readonly timeoutMs?: number;
}

/** Dunning's pay-now port in a process of its own. */
export class HttpCollection extends CollectionPort {
  constructor(private readonly options: HttpCollectionOptions) {
    super();
  }

  /** When dunning does not answer, the outcome is unknown: whatever it did arrives as a fact. */
  override async pay(request: PayRequest): Promise<PayAnswer> {
    const answer = await this.ask('pay', request);
    return answer === null ? { outcome: 'unknown', attemptId: '' } : (answer as PayAnswer);
  }

  override async refund(request: RefundRequest): Promise<RefundAnswer> {
    const answer = await this.ask('refund', request);
    if (answer === null)
      throw new Error('Dunning cannot be reached, so nothing was refunded; repeat the call');
    return answer as RefundAnswer;
  }

  private async ask(what: 'pay' | 'refund', body: PayRequest | RefundRequest): Promise<unknown> {
    const { dunningUrl, internalSecret, timeoutMs = 30_000 } = this.options;
    try {
      const response = await fetch(new URL(`/internal/${what}`, dunningUrl), {
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
