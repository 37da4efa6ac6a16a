import { Injectable } from '@nestjs/common';
import type { BalanceFacts, LotFacts, QuotaFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { type Nano, formatAmount, invariant, parseAmount } from '@tallygate/kernel';
import {
  balanceCrossed,
  balanceRules,
  grantReminders,
  leadTimes,
  segmentsAt,
  usageCrossed,
  usageRules,
} from '../domain';
import { LedgerChunk, type LedgerFact, watchOf } from './ledger-chunk';
import { Notifying } from './notifying.service';
import { WatchStore } from './ports';
import type { Session } from './session';

/**
 * The ledger's facts: thresholds of use and balance, credit that will expire. Usage brings many of them, so a chunk is
 * judged by what one look-up of each sort found, and kept by one statement of each sort; only what is said is said one by
 * one. Each judgement is by the rules and the instant of its session, and may run any number of times; while rules or
 * customer are not known yet it says nothing, and runs again when they are.
 */
@Injectable()
export class BalanceNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly watches: WatchStore,
    private readonly directory: Directory,
  ) {}

  /** Judges every version that is news, in the order given: a threshold crossed and left again is said all the same. */
  async hear(session: Session, facts: readonly LedgerFact[]): Promise<void> {
    const chunk = await this.open(session, facts);
    for (const fact of facts) if (chunk.take(fact)) await this.judge(session, chunk, fact);
    await this.close(session, chunk);
  }

  /** Judges facts that have not changed. */
  async look(session: Session, fact: LedgerFact): Promise<void> {
    const chunk = await this.open(session, [fact]);
    await this.judge(session, chunk, fact);
    await this.close(session, chunk);
  }

  private async open(session: Session, facts: readonly LedgerFact[]): Promise<LedgerChunk> {
    const { tx, tenantId } = session;
    const ids = [...new Set(facts.map((fact) => fact.facts.customerId))];
    const periods = facts.flatMap((fact) => (fact.kind === 'usage' ? [fact.facts] : []));
    const known = await this.directory.catalog(tx, tenantId);
    return new LedgerChunk(
      known?.catalog ?? null,
      await this.directory.customersByIds(tx, tenantId, ids),
      await this.watches.known(session, facts.map(watchOf)),
      periods.length === 0 ? [] : await this.watches.announced(session, periods),
    );
  }

  private async close(session: Session, { changedWatches, plans }: LedgerChunk): Promise<void> {
    if (changedWatches.length > 0) await this.watches.keep(session, changedWatches);
    await this.notifying.plan(session, plans);
  }

  private async judge(session: Session, chunk: LedgerChunk, fact: LedgerFact): Promise<void> {
    switch (fact.kind) {
      case 'usage':
        return this.usage(session, chunk, fact.facts);
      case 'balance':
        return this.balance(session, chunk, fact.facts);
      case 'lot':
        return planLot(session, chunk, fact.facts);
    }
  }

  private async usage(session: Session, chunk: LedgerChunk, facts: QuotaFacts): Promise<void> {
    const { customerId, feature, periodStart, used, included } = facts;
    const known = chunk.known(customerId);
    if (known === null) return;
    const rules = usageRules(known.catalog, feature);
    const before = chunk.announcedIn(facts);
    const { crossed, announced } = usageCrossed(rules, amount(used), amount(included), before);
    if (crossed === null) return;
    chunk.announce(facts, announced);
    await this.watches.setAnnounced(session, facts, announced);
    await this.notifying.notify(session, {
      kind: 'usage_threshold',
      customerId,
      subject: feature,
      stage: JSON.stringify([crossed.text, crossed.percent, periodStart]),
      threshold: crossed.text,
      details: { used, included, reached: crossed.percent ? `${crossed.text} %` : `${crossed.text} units` },
    });
  }

  /** Judges what is available now, and has itself called again at the instant at which that changes by itself. */
  private async balance(session: Session, chunk: LedgerChunk, facts: BalanceFacts): Promise<void> {
    const { customerId, unit, version } = facts;
    const fact = { kind: 'balance', facts } as const;
    const { present, changesAt } = segmentsAt(facts.segments, session.now);
    const known = chunk.known(customerId);
    const rules = known === null ? [] : balanceRules(known.catalog, unit);
    const available = amount(present.available);
    const { crossed, fired } = balanceCrossed(rules, available, chunk.fired(fact));
    chunk.change(fact, { fired, dueAt: rules.length === 0 ? null : changesAt });
    if (crossed === null) return;
    await this.notifying.notify(session, {
      kind: 'balance_low',
      customerId,
      subject: unit,
      stage: JSON.stringify([crossed.text, version, present.from]),
      threshold: crossed.text,
      details: { available: formatAmount(available) },
    });
  }
}

function planLot({ now }: Session, chunk: LedgerChunk, facts: LotFacts): void {
  const { customerId, grantId: source, unit } = facts;
  const known = chunk.known(customerId);
  if (known === null) return;
  const leads = leadTimes(known.catalog, 'expiry', unit);
  const reminders = grantReminders(facts, leads, known.customer.timezone, now);
  chunk.plans.push({ customerId, kind: 'grant_expiring', source, reminders });
}

/** Facts carry amounts as text that our own services wrote. */
function amount(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `"${text}" is not an amount`);
  return parsed.value;
}
