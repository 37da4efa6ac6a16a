import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import { balanceHeard, nextLook, purchase, purchaseOpened } from '../domain';
import type { AutoTopUp, Customer, Invoice, TopUp } from '../domain';
import { AuditLog, AutoTopUpStore, CustomerStore } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';
import { TopUps } from './top-ups.service';

export type AutoTopUpTerms = Pick<AutoTopUp, 'threshold' | 'increment' | 'target' | 'cap' | 'per'>;

interface Opened {
  readonly topUp: TopUp;
  readonly invoice: Invoice;
}

const FRESH = {
  bought: 0n,
  boughtSince: null,
  openTopUpId: null,
  creditAwaited: null,
  declines: 0,
  stoppedBy: null,
  retryAt: null,
} as const;

/** Rules that buy credit by themselves: one purchase at a time, opened in one transaction and charged after it. */
@Injectable()
export class AutoTopUps {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly store: AutoTopUpStore,
    private readonly customers: CustomerStore,
    private readonly topUps: TopUps,
    private readonly audit: AuditLog,
    private readonly ids: Ids,
  ) {}

  /** Acts at once when the balance is already below. Null: no such customer. */
  async set(caller: Caller, key: string, unit: string, terms: AutoTopUpTerms): Promise<AutoTopUp | null> {
    const set = await this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return null;
      const before = await this.store.find(session, customer.id, unit);
      const progress = before ?? { ...FRESH, customerId: customer.id, unit };
      await this.audit.record(session, { action: 'auto_top_up.set', target: key, detail: { unit } });
      return this.consider(session, customer, { ...progress, ...terms, stoppedBy: null, retryAt: null });
    });
    if (set === null) return null;
    if (set.opened !== null) await this.topUps.charge(caller, set.opened);
    return this.sessions.read(caller, (session) => this.store.find(session, set.rule.customerId, unit));
  }

  remove(caller: Caller, key: string, unit: string): Promise<boolean> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return false;
      await this.audit.record(session, { action: 'auto_top_up.removed', target: key, detail: { unit } });
      return this.store.remove(session, customer.id, unit);
    });
  }

  /** Looks at every rule that is due. @returns how many were */
  async run(tenantId: string, limit: number): Promise<number> {
    const caller = { tenantId, actor: 'auto top-up' };
    const looked = await this.sessions.change(caller, async (session) => {
      const due = await this.store.due(session, limit);
      const opened: Opened[] = [];
      for (const rule of due) {
        const customer = await this.customers.byId(session, rule.customerId);
        if (customer === null) continue;
        const considered = await this.consider(session, customer, rule);
        if (considered.opened !== null) opened.push(considered.opened);
      }
      return { count: due.length, opened };
    });
    for (const opened of looked.opened) await this.topUps.charge(caller, opened);
    return looked.count;
  }

  private async consider(
    session: Session,
    customer: Customer,
    known: AutoTopUp,
  ): Promise<{ readonly rule: AutoTopUp; readonly opened: Opened | null }> {
    const balance = await this.store.balance(session, customer.id, known.unit);
    const rule = balanceHeard(known, balance, session.now);
    const zone = customer.timezone;
    const amount = purchase(rule, balance, session.now, zone);
    const opened = amount === null ? null : await this.open(session, customer, rule.unit, amount);
    const next =
      opened === null ? rule : purchaseOpened(rule, opened.topUp.id, opened.topUp.amount, session.now, zone);
    await this.store.save(session, next, nextLook(next, balance, session.now, zone));
    return { rule: next, opened };
  }

  private async open(
    session: Session,
    customer: Customer,
    unit: string,
    amount: bigint,
  ): Promise<Opened | null> {
    const request = { unit, amount, key: `auto.${this.ids.next()}`, auto: true };
    const outcome = await this.topUps.open(session, customer.key, request);
    return outcome.ok ? outcome.value : null;
  }
}
