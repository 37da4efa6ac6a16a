import { Injectable } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { BillingEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import type { Slice, Subscription } from '@tallygate/platform';
import { BillingIntake } from '../service/billing-intake.service';
import { Sessions } from '../service/session';
import type { Session } from '../service/session';

/**
 * Takes in billing's facts. One transaction per fact, because each may lock another payer: who holds one lock only
 * cannot deadlock. A repeat finds its version known.
 */
@Injectable()
export class BillingConsumer {
  readonly subscription: Subscription = {
    topics: [TOPICS.billingEvents],
    group: 'dunning.billing',
    handle: (slice) => this.handle(slice),
  };

  constructor(
    private readonly sessions: Sessions,
    private readonly directory: Directory,
    private readonly intake: BillingIntake,
  ) {}

  private async handle({ messages }: Slice): Promise<void> {
    for (const message of messages) {
      const event = decodeEvent<BillingEvent>(message.value);
      await this.sessions.run(event.tenantId, (session) => this.take(session, event));
    }
  }

  private async take(session: Session, event: BillingEvent): Promise<void> {
    await this.directory.apply(session.tx, event);
    switch (event.type) {
      case 'invoice.changed':
        return this.intake.invoice(session, event.data.invoice, event.data.cause);
      case 'payment_method.changed':
        return this.intake.method(session, event.data.customerId, event.data.method, event.data.version);
      default:
        return undefined;
    }
  }
}
