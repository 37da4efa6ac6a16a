import { Injectable } from '@nestjs/common';
import type { Catalog } from '@tallygate/contracts';
import { err, Ids, ok } from '@tallygate/kernel';
import type { Instant, Result } from '@tallygate/kernel';
import {
  approve,
  cancel,
  changePlan,
  evolveAll,
  nextStep,
  pause,
  payerOf,
  reject,
  resume,
  subscribe,
} from '../domain';
import type {
  Customer,
  Decision,
  Discount,
  SoldPlan,
  Subscription,
  SubscriptionEvent,
  SubscriptionRefusal,
} from '../domain';
import { BillingFacts } from './billing-facts';
import { Invoicing } from './invoicing.service';
import { CatalogStore, CustomerStore, MethodStore, SubscriptionStore } from './ports';
import type { Session } from './tenant-session';

export interface SubscribeRequest {
  readonly plan: string;
  readonly startsAt: Instant | null;
  readonly trialDays: number | null;
  readonly coupon: string | null;
}

export type SubscribingRefusal = SubscriptionRefusal | 'unknown_plan' | 'unknown_coupon';
export type Outcome = Result<Subscription, SubscribingRefusal>;

/** Commands on subscriptions: loads, lets the domain decide, stores, states, invoices. */
@Injectable()
export class Subscribing {
  constructor(
    private readonly subscriptions: SubscriptionStore,
    private readonly customers: CustomerStore,
    private readonly catalogs: CatalogStore,
    private readonly methods: MethodStore,
    private readonly invoicing: Invoicing,
    private readonly facts: BillingFacts,
    private readonly ids: Ids,
  ) {}

  async subscribe(session: Session, customer: Customer, request: SubscribeRequest): Promise<Outcome> {
    const terms = await this.terms(session, request);
    if (!terms.ok) return terms;
    const present = await this.subscriptions.inForce(session, customer.id);
    const decision = subscribe(present, {
      id: this.ids.next(),
      customerId: customer.id,
      zone: customer.timezone,
      currency: terms.value.plan.terms.currency ?? customer.currency,
      at: session.now,
      startsAt: request.startsAt,
      trialDays: request.trialDays,
      hasMethod: await this.hasMethod(session, payerOf(customer)),
      standing: await this.subscriptions.standing(session, payerOf(customer)),
      ...terms.value,
    });
    return this.carryOut(session, present, decision);
  }

  async changePlan(
    session: Session,
    customer: Customer,
    request: { readonly plan: string; readonly coupon: string | null; readonly atPeriodEnd: boolean },
  ): Promise<Outcome> {
    const terms = await this.terms(session, request);
    if (!terms.ok) return terms;
    const command = { ...terms.value, at: session.now, atPeriodEnd: request.atPeriodEnd };
    return this.decide(session, customer, (state) => changePlan(state, command));
  }

  cancel(session: Session, customer: Customer, atPeriodEnd: boolean): Promise<Outcome> {
    return this.decide(session, customer, (state) => cancel(state, session.now, atPeriodEnd));
  }

  pause(session: Session, customer: Customer): Promise<Outcome> {
    return this.decide(session, customer, (state) => pause(state, session.now));
  }

  resume(session: Session, customer: Customer): Promise<Outcome> {
    return this.decide(session, customer, (state) => resume(state, session.now));
  }

  reject(session: Session, customer: Customer): Promise<Outcome> {
    return this.decide(session, customer, (state) => reject(state, session.now));
  }

  async approve(session: Session, customer: Customer): Promise<Outcome> {
    const hasMethod = await this.hasMethod(session, payerOf(customer));
    return this.decide(session, customer, (state) => approve(state, session.now, hasMethod));
  }

  /** Carries out what a fact or a due instant brings about; no event, no change. */
  async happen(
    session: Session,
    state: Subscription,
    events: readonly SubscriptionEvent[],
  ): Promise<Subscription> {
    return events.length === 0 ? state : this.apply(session, state, events);
  }

  /** Everything due at the session's instant, one step at a time, so that each period is stated. */
  async passTime(session: Session, subscription: Subscription): Promise<number> {
    const customer = await this.customers.byId(session, subscription.customerId);
    const hasMethod = customer !== null && (await this.hasMethod(session, payerOf(customer)));
    let state = subscription;
    let steps = 0;
    for (;;) {
      const events = nextStep(state, session.now, hasMethod);
      if (events.length === 0) return steps;
      state = await this.apply(session, state, events);
      steps += 1;
    }
  }

  async hasMethod(session: Session, payerId: string): Promise<boolean> {
    const stored = await this.methods.find(session, payerId);
    return stored !== null && stored.method !== null;
  }

  async soldPlan(session: Session, key: string): Promise<SoldPlan | null> {
    const { catalog } = await this.catalogs.load(session);
    return soldPlan(catalog, key);
  }

  private async decide(
    session: Session,
    customer: Customer,
    decide: (state: Subscription) => Decision,
  ): Promise<Outcome> {
    const state = await this.subscriptions.inForce(session, customer.id);
    if (state === null) return err('subscription_required');
    return this.carryOut(session, state, decide(state));
  }

  private async carryOut(session: Session, state: Subscription | null, decision: Decision): Promise<Outcome> {
    if (!decision.ok) return decision;
    return ok(await this.apply(session, state, decision.value));
  }

  private async apply(
    session: Session,
    state: Subscription | null,
    events: readonly SubscriptionEvent[],
  ): Promise<Subscription> {
    const [first] = events;
    const before = state ?? (first?.type === 'requested' ? first.subscription : null);
    if (before === null) throw new TypeError('A subscription begins with being requested');
    const next = { ...evolveAll(before, events), version: before.version + 1 };
    await this.subscriptions.save(session, next);
    await this.facts.subscription(session, next);
    for (const event of events) await this.settle(session, next, event);
    return next;
  }

  /** What an event means for invoices. */
  private async settle(session: Session, state: Subscription, event: SubscriptionEvent): Promise<void> {
    if (event.type === 'charged') await this.invoicing.open(session, state, event.charge);
    if (event.type === 'charge_withdrawn') await this.invoicing.withdraw(session, state.id, event.purpose);
    if (event.type !== 'written_off') return;
    const customer = await this.customers.byId(session, state.customerId);
    if (customer !== null) await this.invoicing.writeOffAll(session, payerOf(customer));
  }

  private async terms(
    session: Session,
    { plan: key, coupon }: { readonly plan: string; readonly coupon: string | null },
  ): Promise<Result<{ plan: SoldPlan; discount: Discount | null }, 'unknown_plan' | 'unknown_coupon'>> {
    const { catalog } = await this.catalogs.load(session);
    const plan = soldPlan(catalog, key);
    if (plan === null) return err('unknown_plan');
    if (coupon === null) return ok({ plan, discount: null });
    const found = catalog.coupons.find((other) => other.key === coupon);
    if (found === undefined) return err('unknown_coupon');
    const { percent = null, amount = null, periods = null } = found;
    return ok({ plan, discount: { coupon, percent, amount, periodsLeft: periods } });
  }
}

function soldPlan(catalog: Catalog, key: string): SoldPlan | null {
  const plan = catalog.plans.find((other) => other.key === key);
  return plan === undefined ? null : { key, version: plan.version ?? 1, terms: plan };
}
