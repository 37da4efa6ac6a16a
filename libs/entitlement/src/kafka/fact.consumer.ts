import type { BillingEvent, DunningEvent, LedgerEvent, Topic } from '@tallygate/contracts';
import { TOPICS, decodeEvent } from '@tallygate/contracts';
import type { ServiceContext, Slice } from '@tallygate/platform';
import type { FactIntake } from '../service/fact-intake';

/** One group per topic, so that a slow topic holds up no other. */
const GROUPS: Readonly<Partial<Record<Topic, string>>> = {
  [TOPICS.billingEvents]: 'entitlement.billing',
  [TOPICS.ledgerEvents]: 'entitlement.ledger',
  [TOPICS.dunningEvents]: 'entitlement.dunning',
};

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
    await this.intake.take(
      messages.map(({ value }) => decodeEvent<BillingEvent | LedgerEvent | DunningEvent>(value)),
    );
  }
}
