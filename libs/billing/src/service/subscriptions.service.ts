import { Injectable } from '@nestjs/common';
import { err } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import type { Customer, Subscription } from '../domain';
import { AuditLog, CustomerStore, SubscriptionStore } from './ports';
import { Subscribing } from './subscribing.service';
import type { Outcome, SubscribeRequest, SubscribingRefusal } from './subscribing.service';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export type SubscriptionStep = 'pause' | 'resume' | 'approve' | 'reject';
export type SubscriptionAnswer = Result<Subscription, SubscribingRefusal | 'unknown_customer'>;

/** What operators and customers ask of a subscription, each in a transaction of its own, on record. */
@Injectable()
export class Subscriptions {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly customers: CustomerStore,
    private readonly store: SubscriptionStore,
    private readonly subscribing: Subscribing,
    private readonly audit: AuditLog,
  ) {}

  /** The one in force, or the last that ended; null when there never was one. */
  latest(caller: Caller, key: string): Promise<Subscription | null> {
    return this.sessions.read(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      return customer === null ? null : this.store.latest(session, customer.id);
    });
  }

  subscribe(caller: Caller, key: string, request: SubscribeRequest): Promise<SubscriptionAnswer> {
    return this.act(caller, key, 'requested', (session, customer) =>
      this.subscribing.subscribe(session, customer, request),
    );
  }

  cancel(caller: Caller, key: string, atPeriodEnd: boolean): Promise<SubscriptionAnswer> {
    return this.act(caller, key, 'cancel', (session, customer) =>
      this.subscribing.cancel(session, customer, atPeriodEnd),
    );
  }

  step(caller: Caller, key: string, step: SubscriptionStep): Promise<SubscriptionAnswer> {
    return this.act(caller, key, step, (session, customer) => this.subscribing[step](session, customer));
  }

  private act(
    caller: Caller,
    key: string,
    action: string,
    work: (session: Session, customer: Customer) => Promise<Outcome>,
  ): Promise<SubscriptionAnswer> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return err('unknown_customer');
      const outcome = await work(session, customer);
      if (outcome.ok) await this.audit.record(session, { action: `subscription.${action}`, target: key });
      return outcome;
    });
  }
}
