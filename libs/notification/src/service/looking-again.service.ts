import { Injectable } from '@nestjs/common';
import type {
  BalanceFacts,
  CollectionFacts,
  LotFacts,
  QuotaFacts,
  SubscriptionFacts,
} from '@tallygate/contracts';
import { BalanceNotices } from './balances.service';
import { PaymentNotices } from './payments.service';
import { type Facts, WatchStore, type Watched } from './ports';
import type { Session } from './session';
import { type MethodFacts, SubscriptionNotices } from './subscriptions.service';

type Look = (session: Session, facts: Facts) => Promise<void>;

/** Judges facts once more that have not changed: the time has come, a rule has changed, a customer became known. */
@Injectable()
export class LookingAgain {
  private readonly looks: Readonly<Record<Watched, Look>>;

  constructor(
    private readonly watches: WatchStore,
    balances: BalanceNotices,
    payments: PaymentNotices,
    subscriptions: SubscriptionNotices,
  ) {
    this.looks = {
      usage: (session, facts) => balances.look(session, { kind: 'usage', facts: facts as QuotaFacts }),
      balance: (session, facts) => balances.look(session, { kind: 'balance', facts: facts as BalanceFacts }),
      lot: (session, facts) => balances.look(session, { kind: 'lot', facts: facts as LotFacts }),
      subscription: (session, facts) => subscriptions.lookAtSubscription(session, facts as SubscriptionFacts),
      method: (session, facts) => subscriptions.lookAtMethod(session, facts as MethodFacts),
      standing: (session, facts) => payments.lookAtStanding(session, facts as CollectionFacts),
      flags: async () => undefined,
    };
  }

  async lookAgain(session: Session, watchId: string): Promise<void> {
    const due = await this.watches.takeDue(session, watchId);
    if (due !== null) await this.looks[due.kind](session, due.facts);
  }
}
