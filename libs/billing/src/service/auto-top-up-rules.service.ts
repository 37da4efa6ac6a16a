import { Injectable } from '@nestjs/common';
import { availableAt, methodReplaced, nextLook, purchaseDeclined, purchasePaid } from '../domain';
import type { AutoTopUp, TopUp } from '../domain';
import { AutoTopUpStore, CustomerStore } from './ports';
import type { Session } from './tenant-session';

/** What the fate of top-ups and methods means for the rules that buy by themselves. */
@Injectable()
export class AutoTopUpRules {
  constructor(
    private readonly store: AutoTopUpStore,
    private readonly customers: CustomerStore,
  ) {}

  async paid(session: Session, topUp: TopUp): Promise<void> {
    await this.change(session, topUp, (rule, available) =>
      purchasePaid(rule, topUp.id, available, session.now),
    );
  }

  async declined(session: Session, topUp: TopUp, hard: boolean): Promise<void> {
    await this.change(session, topUp, (rule) => purchaseDeclined(rule, topUp, hard, session.now));
  }

  /** A new method of the payer lets the rules that the old one stopped go on. */
  async methodReplaced(session: Session, customerId: string): Promise<void> {
    for (const rule of await this.store.ofCustomer(session, customerId)) {
      const next = methodReplaced(rule);
      if (next.stoppedBy !== rule.stoppedBy) await this.store.save(session, next, session.now);
    }
  }

  private async change(
    session: Session,
    { customerId, unit }: TopUp,
    edit: (rule: AutoTopUp, available: bigint) => AutoTopUp,
  ): Promise<void> {
    const rule = await this.store.find(session, customerId, unit);
    const customer = rule === null ? null : await this.customers.byId(session, customerId);
    if (rule === null || customer === null) return;
    const balance = await this.store.balance(session, customerId, unit);
    const next = edit(rule, availableAt(balance, session.now));
    await this.store.save(session, next, nextLook(next, balance, session.now, customer.timezone));
  }
}
