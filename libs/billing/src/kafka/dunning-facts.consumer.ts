import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { DunningEvent } from '@tallygate/contracts';
import { ServiceContext } from '@tallygate/platform';
import type { Slice } from '@tallygate/platform';
import { MoneyIn } from '../service/money-in.service';
import { TenantSessions } from '../service/tenant-session';

/**
 * What dunning says about money. One transaction per tenant of a slice; repeats are harmless, since invoices move once
 * and standings carry versions.
 */
@Injectable()
export class DunningFactsConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly sessions: TenantSessions,
    private readonly moneyIn: MoneyIn,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.dunningEvents],
      group: 'billing.dunning',
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle({ messages }: Slice): Promise<void> {
    const byTenant = new Map<string, DunningEvent[]>();
    for (const { value } of messages) {
      const event = decodeEvent<DunningEvent>(value);
      byTenant.set(event.tenantId, [...(byTenant.get(event.tenantId) ?? []), event]);
    }
    for (const [tenantId, events] of byTenant) await this.take(tenantId, events);
  }

  private take(tenantId: string, events: readonly DunningEvent[]): Promise<void> {
    return this.sessions.change({ tenantId, actor: 'dunning' }, async (session) => {
      for (const event of events) await this.moneyIn.handle(session, event);
    });
  }
}
