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
import { Notifying } from './notifying.service';
import { WatchStore } from './ports';
import type { Session } from './session';

/**
 * The ledger's facts: thresholds of use and balance, credit that will expire. Each `look…` judges the latest facts by
 * the rules and the instant of its session, and may run any number of times; while rules or customer are not known yet
 * it says nothing, and runs again when they are.
 */
@Injectable()
export class BalanceNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly watches: WatchStore,
    private readonly directory: Directory,
  ) {}

  async quota(session: Session, facts: QuotaFacts): Promise<void> {
    const watch = { kind: 'usage', customerId: facts.customerId, key: facts.feature } as const;
    if (await this.watches.take(session, watch, facts.version, facts)) await this.lookAtUsage(session, facts);
  }

  async balance(session: Session, facts: BalanceFacts): Promise<void> {
    const watch = { kind: 'balance', customerId: facts.customerId, key: facts.unit } as const;
    if (await this.watches.take(session, watch, facts.version, facts))
      await this.lookAtBalance(session, facts);
  }

  async lot(session: Session, facts: LotFacts): Promise<void> {
    const watch = { kind: 'lot', customerId: facts.customerId, key: facts.grantId } as const;
    if (await this.watches.take(session, watch, facts.version, facts)) await this.lookAtLot(session, facts);
  }

  async lookAtUsage(session: Session, facts: QuotaFacts): Promise<void> {
    const { customerId, feature, periodStart, used, included } = facts;
    const known = await this.known(session, customerId);
    if (known === null) return;
    const before = await this.watches.announced(session, customerId, feature, periodStart);
    const rules = usageRules(known.catalog, feature);
    const { crossed, announced } = usageCrossed(rules, amount(used), amount(included), before);
    if (crossed === null) return;
    await this.watches.setAnnounced(session, customerId, feature, periodStart, announced);
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
  async lookAtBalance(session: Session, facts: BalanceFacts): Promise<void> {
    const { customerId, unit, version } = facts;
    const watch = { kind: 'balance', customerId, key: unit } as const;
    const { present, changesAt } = segmentsAt(facts.segments, session.now);
    const known = await this.known(session, customerId);
    const rules = known === null ? [] : balanceRules(known.catalog, unit);
    const available = amount(present.available);
    const verdict = balanceCrossed(rules, available, await this.watches.fired(session, watch));
    await this.watches.setFired(session, watch, verdict.fired, rules.length === 0 ? null : changesAt);
    if (verdict.crossed === null) return;
    await this.notifying.notify(session, {
      kind: 'balance_low',
      customerId,
      subject: unit,
      stage: JSON.stringify([verdict.crossed.text, version, present.from]),
      threshold: verdict.crossed.text,
      details: { available: formatAmount(available) },
    });
  }

  async lookAtLot(session: Session, facts: LotFacts): Promise<void> {
    const { customerId, grantId: source, unit } = facts;
    const known = await this.known(session, customerId);
    if (known === null) return;
    const leads = leadTimes(known.catalog, 'expiry', unit);
    const reminders = grantReminders(facts, leads, known.customer.timezone, session.now);
    await this.notifying.plan(session, { customerId, kind: 'grant_expiring', source }, reminders);
  }

  /** The rules and whom they are about; null while either is unknown, since the ledger may be heard before billing. */
  private async known({ tx, tenantId }: Session, customerId: string) {
    const facts = await this.directory.catalog(tx, tenantId);
    const customer = await this.directory.customerById(tx, tenantId, customerId);
    return facts && customer && { catalog: facts.catalog, customer };
  }
}

/** Facts carry amounts as text that our own services wrote. */
function amount(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `"${text}" is not an amount`);
  return parsed.value;
}
