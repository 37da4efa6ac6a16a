import { Injectable } from '@nestjs/common';
import type { Budget } from '@tallygate/contracts';
import { err, ok } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import { budgetFault, withBudget, withoutBudget } from '../domain';
import type { Customer, Fault } from '../domain';
import { BillingFacts } from './billing-facts';
import { AuditLog, CatalogStore, CustomerStore } from './ports';
import type { AuditEntry } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export type BudgetRefusal =
  { readonly code: 'unknown_customer' } | { readonly code: 'no_unit'; readonly fault: Fault };

/** What customers let features cost by day and month, whatever plan they are on. The ledger counts, and gates refuse. */
@Injectable()
export class Budgets {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly customers: CustomerStore,
    private readonly catalogs: CatalogStore,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
  ) {}

  /** Null: no such customer. */
  list(caller: Caller, key: string): Promise<readonly Budget[] | null> {
    return this.sessions.read(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      return customer === null ? null : (customer.budgets ?? []);
    });
  }

  /** Takes the place of the feature's budget, if it has one. */
  set(caller: Caller, key: string, budget: Budget): Promise<Result<Budget, BudgetRefusal>> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return err({ code: 'unknown_customer' });
      const fault = budgetFault(budget.feature, (await this.catalogs.load(session)).catalog);
      if (fault !== null) return err({ code: 'no_unit', fault });
      const entry = { action: 'budget.set', target: key, detail: { ...budget } };
      await this.save(session, customer, withBudget(customer.budgets ?? [], budget), entry);
      return ok(budget);
    });
  }

  /** @returns whether there was one */
  remove(caller: Caller, key: string, feature: string): Promise<boolean> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      const budgets = customer?.budgets ?? [];
      const left = withoutBudget(budgets, feature);
      if (customer === null || left.length === budgets.length) return false;
      await this.save(session, customer, left, {
        action: 'budget.removed',
        target: key,
        detail: { feature },
      });
      return true;
    });
  }

  private async save(
    session: Session,
    present: Customer,
    budgets: readonly Budget[],
    entry: AuditEntry,
  ): Promise<void> {
    const customer = { ...present, budgets, version: present.version + 1 };
    await this.customers.save(session, customer);
    await this.facts.customer(session, customer);
    await this.audit.record(session, entry);
  }
}
