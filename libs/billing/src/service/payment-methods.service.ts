import { Injectable } from '@nestjs/common';
import type { PaymentMethodFacts } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { methodAdded, methodRemoved, providerRefOf } from '../domain';
import type { Customer, StoredMethod, Subscription, SubscriptionEvent } from '../domain';
import { AutoTopUpRules } from './auto-top-up-rules.service';
import { BillingFacts } from './billing-facts';
import { AuditLog, CustomerStore, MethodStore, SubscriptionStore } from './ports';
import { Subscribing } from './subscribing.service';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface NewMethod {
  /** A sandbox behaviour, or the provider's reference to a stored card. Never a card number. */
  readonly set: string;
  readonly brand: string;
  readonly funding: 'credit' | 'debit';
  /** YYYY-MM, or null when it does not expire. */
  readonly expires: string | null;
}

/** The one stored method of each customer. */
@Injectable()
export class PaymentMethods {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly methods: MethodStore,
    private readonly customers: CustomerStore,
    private readonly subscriptions: SubscriptionStore,
    private readonly subscribing: Subscribing,
    private readonly rules: AutoTopUpRules,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
    private readonly ids: Ids,
  ) {}

  set(caller: Caller, key: string, wanted: NewMethod): Promise<PaymentMethodFacts | null> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      return customer === null ? null : this.store(session, customer, wanted);
    });
  }

  /** @returns whether there is such a customer; without a method nothing changes */
  remove(caller: Caller, key: string): Promise<boolean> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return false;
      const present = await this.methods.find(session, customer.id);
      if (present === null || present.method === null) return true;
      await this.replace(session, customer, { method: null, version: present.version + 1 });
      await this.forEveryone(session, customer.id, methodRemoved);
      return true;
    });
  }

  async store(session: Session, customer: Customer, wanted: NewMethod): Promise<PaymentMethodFacts> {
    const present = await this.methods.find(session, customer.id);
    const method = this.method(session, customer.id, wanted);
    await this.replace(session, customer, { method, version: (present?.version ?? 0) + 1 });
    await this.forEveryone(session, customer.id, (state) => methodAdded(state, session.now));
    for (const customerId of await this.customers.paidBy(session, customer.id))
      await this.rules.methodReplaced(session, customerId);
    return method;
  }

  private method({ tenant }: Session, customerId: string, wanted: NewMethod): PaymentMethodFacts {
    const { set, brand, funding, expires } = wanted;
    const id = this.ids.next();
    const providerRef = providerRefOf(set, tenant.mode, id);
    return { id, customerId, providerRef, brand, funding, expires, label: set };
  }

  private async replace(session: Session, customer: Customer, stored: StoredMethod): Promise<void> {
    await this.methods.save(session, customer.id, stored);
    await this.facts.method(session, customer.id, stored);
    const action = stored.method === null ? 'payment_method.removed' : 'payment_method.set';
    await this.audit.record(session, { action, target: customer.key });
  }

  /** What the method means for the subscriptions that its owner pays for. */
  private async forEveryone(
    session: Session,
    payerId: string,
    brings: (state: Subscription) => SubscriptionEvent[],
  ): Promise<void> {
    for (const customerId of await this.customers.paidBy(session, payerId)) {
      const state = await this.subscriptions.inForce(session, customerId);
      if (state !== null) await this.subscribing.happen(session, state, brings(state));
    }
  }
}
