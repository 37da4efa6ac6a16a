import type { PayAnswer, PayRequest, RefundAnswer, RefundRequest } from '@tallygate/contracts';
import { CollectionPort } from '@tallygate/billing';
import { Paying, Refunding } from '@tallygate/dunning';

/** Where a module finds another one's use case, once the process is assembled. */
export interface UseCases {
  get<T>(token: abstract new (...args: never[]) => T, options: { strict: false }): T;
}

/** Billing's calls to dunning inside one process. The two are assembled together, so dunning is looked up at the call. */
export class LocalCollection extends CollectionPort {
  private useCases: UseCases | null = null;

  connect(useCases: UseCases): void {
    this.useCases = useCases;
  }

  override pay(request: PayRequest): Promise<PayAnswer> {
    return this.find(Paying).pay(request);
  }

  override refund(request: RefundRequest): Promise<RefundAnswer> {
    return this.find(Refunding).refund(request);
  }

  private find<T>(token: abstract new (...args: never[]) => T): T {
    if (!this.useCases) throw new Error('billing asked dunning before the process was assembled');
    return this.useCases.get(token, { strict: false });
  }
}
