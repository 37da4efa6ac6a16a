import type { BillingEvent, DunningEvent, LedgerEvent, Topic } from '@tallygate/contracts';
import { TOPICS, decodeEvent } from '@tallygate/contracts';
import type { ServiceContext, Slice } from '@tallygate/platform';
import type { FactIntake } from '../service/fact-intake';

type Heard = BillingEvent | LedgerEvent | DunningEvent;

/** One group per topic, so that a slow topic holds up no other. */
const GROUPS: Readonly<Partial<Record<Topic, string>>> = {
  [TOPICS.billingEvents]: 'entitlement.billing',
  [TOPICS.ledgerEvents]: 'entitlement.ledger',
  [TOPICS.dunningEvents]: 'entitlement.dunning',
};

/** What access is derived from; other facts are not parsed: the headers name the type. */
const HEARD: ReadonlySet<string | undefined> = new Set<Heard['type']>([
  'tenant.changed',
  'catalog.applied',
  'customer.changed',
  'subscription.changed',
  'customer.flags_changed',
  'payment_method.changed',
  'balance.changed',
  'quota.changed',
  'spend.changed',
  'collection.changed',
]);

/** Takes facts of the other services in. Applying a slice again changes nothing: versions decide. */
export class FactConsumer {
  constructor(
    private readonly context: ServiceContext,
    private readonly intake: FactIntake,
  ) {}

  async start(): Promise<void> {
    for (const [topic, group] of Object.entries(GROUPS)) {
      await this.context.subscribe({ topics: [topic], group, handle: (slice) => this.handle(slice) });
    }
  }

  private async handle({ messages }: Slice): Promise<void> {
    const heard = messages.filter(({ headers }) => HEARD.has(headers['type']));
    if (heard.length > 0) await this.intake.take(heard.map(({ value }) => decodeEvent<Heard>(value)));
  }
}
