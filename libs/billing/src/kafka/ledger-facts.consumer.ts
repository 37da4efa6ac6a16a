import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { BalanceFacts, LedgerEvent } from '@tallygate/contracts';
import { invariant, parseInstant } from '@tallygate/kernel';
import { ServiceContext, TenantTime } from '@tallygate/platform';
import type { Slice } from '@tallygate/platform';
import { knownAmount } from '../domain';
import { AutoTopUpStore } from '../service/ports';

/** Balances, for automatic top-ups. Versions make repeats and late arrivals harmless. */
@Injectable()
export class LedgerFactsConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly store: AutoTopUpStore,
    private readonly time: TenantTime,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.ledgerEvents],
      group: 'billing.ledger',
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle({ messages }: Slice): Promise<void> {
    const events = messages
      .filter(({ headers }) => headers['type'] === undefined || headers['type'] === 'balance.changed')
      .map(({ value }) => decodeEvent<LedgerEvent>(value))
      .filter((event) => event.type === 'balance.changed');
    const present = await this.time.nowOf([...new Set(events.map(({ tenantId }) => tenantId))]);
    await this.store.hearBalances(
      events.flatMap(({ tenantId, data }) => {
        const now = present.get(tenantId);
        return now === undefined ? [] : [{ tenantId, now, ...statementOf(data) }];
      }),
    );
  }
}

function statementOf({ customerId, unit, version, segments }: BalanceFacts) {
  const known = segments.map(({ from, available }) => {
    const parsed = parseInstant(from);
    invariant(parsed.ok, `A balance from a time that is none: ${from}`);
    return { from: parsed.value, available: knownAmount(available) };
  });
  return { customerId, unit, version, segments: known };
}
