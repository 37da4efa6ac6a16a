import { encodeEvent, TOPICS } from '@tallygate/contracts';
import type {
  LedgerEvent,
  LotFacts,
  MeteredEvent,
  QuotaFacts,
  RejectedUsage,
  SpendFacts,
} from '@tallygate/contracts';
import { formatAmount, formatInstant, invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { OutboxRecord } from '@tallygate/platform';
import { balanceFactsOf, factsVersion, perOfSpend, readsAs, statusAt, unitOfSpend } from '../domain';
import type { Counter, Lot, Wallet } from '../domain';

/** The ledger's facts as outbox records, keyed by customer. */
export function balanceChanged(id: string, wallet: Wallet, now: Instant, revision: number): OutboxRecord {
  const { tenantId, customerId } = wallet;
  const data = balanceFactsOf(wallet, now, revision);
  return record(customerId, { id, type: 'balance.changed', tenantId, occurredAt: formatInstant(now), data });
}

/** Of a counter that gates are told of. */
export function counterChanged(id: string, counter: Counter, now: Instant): OutboxRecord {
  return counter.kind === 'spend' ? spendChanged(id, counter, now) : quotaChanged(id, counter, now);
}

function spendChanged(id: string, counter: Counter, now: Instant): OutboxRecord {
  const { tenantId, customerId } = counter;
  const data = spendFactsOf(counter);
  return record(customerId, { id, type: 'spend.changed', tenantId, occurredAt: formatInstant(now), data });
}

function spendFactsOf(counter: Counter): SpendFacts {
  const { customerId, feature, periodStart, periodEnd, used, included } = counter;
  invariant(periodEnd !== null, 'The period of a spend cap ends');
  return {
    customerId,
    feature,
    version: factsVersion(counter),
    per: perOfSpend(counter),
    unit: unitOfSpend(counter),
    periodStart: formatInstant(periodStart),
    periodEnd: formatInstant(periodEnd),
    spent: formatAmount(used),
    cap: formatAmount(included),
  };
}

export function quotaChanged(id: string, counter: Counter, now: Instant): OutboxRecord {
  const { tenantId, customerId } = counter;
  const data = quotaFactsOf(counter);
  return record(customerId, { id, type: 'quota.changed', tenantId, occurredAt: formatInstant(now), data });
}

function quotaFactsOf(counter: Counter): QuotaFacts {
  return {
    customerId: counter.customerId,
    feature: counter.feature,
    version: factsVersion(counter),
    periodStart: formatInstant(counter.periodStart),
    periodEnd: counter.periodEnd === null ? null : formatInstant(counter.periodEnd),
    used: formatAmount(counter.used),
    included: formatAmount(counter.included),
    limit: counter.limit,
  };
}

export function lotChanged(
  id: string,
  wallet: Wallet,
  lot: Lot,
  now: Instant,
  revision: number,
): OutboxRecord {
  const { tenantId, customerId, unit } = wallet;
  const data: LotFacts = {
    customerId,
    unit,
    grantId: lot.grantId,
    grantKey: lot.grantKey,
    expiresAt: lot.expiresAt === null ? null : formatInstant(lot.expiresAt),
    remaining: formatAmount(readsAs(lot, now)),
    status: statusAt(lot, now),
    version: revision,
  };
  return record(customerId, { id, type: 'lot.changed', tenantId, occurredAt: formatInstant(now), data });
}

/** Usage that cannot be booked, found when nobody waits for an answer any more. */
export function rejection(
  factId: string,
  event: MeteredEvent,
  code: RejectedUsage['code'],
  nowOf: (tenantId: string) => Instant,
): OutboxRecord {
  const { source, id, customerId, tenantId } = event;
  return record(customerId, {
    id: factId,
    type: 'usage.rejected',
    tenantId,
    occurredAt: formatInstant(nowOf(tenantId)),
    data: { source, id, customerId, code, detail: DETAILS[code](event), event },
  });
}

const DETAILS: Readonly<Record<RejectedUsage['code'], (event: MeteredEvent) => string>> = {
  identity_conflict: ({ source, id }) =>
    `An event ${id} of source ${source} with another payload was taken before.`,
  event_unknown: ({ corrects }) =>
    `No event ${corrects?.id} of source ${corrects?.source} was booked that could be corrected.`,
};

export function record(customerId: string, event: LedgerEvent): OutboxRecord {
  const { value, headers } = encodeEvent(event);
  return { tenantId: event.tenantId, topic: TOPICS.ledgerEvents, key: customerId, value, headers };
}
