import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { BillingEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { Database, ServiceContext, TenantTime } from '@tallygate/platform';
import type { Slice } from '@tallygate/platform';
import { BillingFactsService } from '../service/billing-facts.service';
import { SpendCaps } from '../service/spend-caps.service';

/** What billing says: into the directory first, then into the ledger, in one transaction per fact. */
@Injectable()
export class BillingFactsConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly facts: BillingFactsService,
    private readonly caps: SpendCaps,
    private readonly time: TenantTime,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.billingEvents],
      group: 'ledger.billing',
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle({ messages }: Slice): Promise<void> {
    for (const message of messages) await this.take(decodeEvent<BillingEvent>(message.value));
  }

  private async take(event: BillingEvent): Promise<void> {
    const now = await this.time.now(event.tenantId);
    const begun = await this.database.asWorker(async (tx) => {
      await this.directory.apply(tx, event);
      return this.facts.apply(tx, event, now);
    });
    await this.caps.makeUp(event.tenantId, begun, now);
  }
}
