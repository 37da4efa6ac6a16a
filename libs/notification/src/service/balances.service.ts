import { Injectable } from '@nestjs/common';
import type { BalanceFacts, LotFacts, QuotaFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { type Nano, formatAmount, parseAmount } from '@tallygate/kernel';
import {
  type Reminder,
  balanceCrossed,
  balanceRules,
  grantReminders,
  instantOf,
  leadTimes,
  usageCrossed,
  usageRules,
} from '../domain';
import { Notifying } from './notifying.service';
import { ReminderStore, WatchStore } from './ports';
import type { Session } from './session';

/** The ledger's facts: thresholds of use and balance, credit that will expire. */
@Injectable()
export class BalanceNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly watches: WatchStore,
    private readonly reminders: ReminderStore,
    private readonly directory: Directory,
  ) {}

  async quota(session: Session, facts: QuotaFacts): Promise<void> {
    const { customerId, feature, version, periodStart } = facts;
    if (!(await this.watches.isNews(session, customerId, { kind: 'usage', key: feature }, version))) return;
    const catalog = await this.directory.catalog(session.tx, session.tenantId);
    if (catalog === null) return;
    for (const [index, rule] of usageRules(catalog.catalog, feature).entries()) {
      const scope = JSON.stringify([periodStart, index]);
      const announced = await this.watches.announcedUsage(session, customerId, feature, scope);
      const crossed = usageCrossed(rule, amount(facts.used), amount(facts.included), announced);
      if (crossed === null) continue;
      await this.watches.setAnnouncedUsage(session, customerId, feature, scope, crossed.at);
      const details = { used: facts.used, included: facts.included };
      const stage = JSON.stringify([crossed.text, periodStart, index]);
      await this.notifying.notify(session, {
        kind: 'usage_threshold',
        customerId,
        subject: feature,
        stage,
        threshold: crossed.text,
        details,
      });
    }
  }

  /** Evaluates what is available now, and again at every instant at which it will change by itself. */
  async balance(session: Session, facts: BalanceFacts): Promise<void> {
    const { customerId, unit, version } = facts;
    if (!(await this.watches.isNews(session, customerId, { kind: 'balance', key: unit }, version))) return;
    const catalog = await this.directory.catalog(session.tx, session.tenantId);
    const rules = catalog === null ? [] : balanceRules(catalog.catalog, unit);
    if (rules.length === 0) return;
    const segments = facts.segments.map(({ from, available }) => ({
      from: instantOf(from),
      available: amount(available),
    }));
    const current = [...segments].reverse().find(({ from }) => from <= session.now) ?? segments[0]!;
    const fired = await this.watches.firedBalances(session, customerId, unit);
    const verdict = balanceCrossed(rules, current.available, fired);
    await this.watches.setFiredBalances(session, customerId, unit, verdict.fired);
    const low = (text: string, available: Nano, stage: string) => ({
      kind: 'balance_low' as const,
      customerId,
      subject: unit,
      stage,
      threshold: text,
      details: { available: formatAmount(available) },
    });
    if (verdict.crossed) {
      await this.notifying.notify(
        session,
        low(verdict.crossed.text, current.available, JSON.stringify([verdict.crossed.text, version])),
      );
    }
    const ahead: Reminder[] = [];
    let known = verdict.fired;
    for (const { from, available } of segments.filter((segment) => segment.from > session.now)) {
      const later = balanceCrossed(rules, available, known);
      if (later.crossed)
        ahead.push({
          ...low(later.crossed.text, available, JSON.stringify([later.crossed.text, version, from])),
          dueAt: from,
        });
      known = later.fired;
    }
    await this.reminders.replace(session, { customerId, kind: 'balance_low', subject: unit }, ahead);
  }

  async lot(session: Session, facts: LotFacts): Promise<void> {
    const { customerId, grantId, grantKey, unit, version } = facts;
    if (!(await this.watches.isNews(session, customerId, { kind: 'lot', key: grantId }, version))) return;
    const catalog = await this.directory.catalog(session.tx, session.tenantId);
    const customer = await this.directory.customerById(session.tx, session.tenantId, customerId);
    if (catalog === null || customer === null) return;
    const reminders = grantReminders(
      facts,
      leadTimes(catalog.catalog, 'expiry', unit),
      customer.timezone,
      session.now,
    );
    await this.reminders.replace(
      session,
      { customerId, kind: 'grant_expiring', subject: grantKey },
      reminders,
    );
  }
}

function amount(text: string): Nano {
  const parsed = parseAmount(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not an amount`);
  return parsed.value;
}
