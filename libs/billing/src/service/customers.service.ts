import { Injectable } from '@nestjs/common';
import type { ConsumerKey } from '@tallygate/contracts';
import { err, Ids, ok } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import type { Customer, Subscription } from '../domain';
import { BillingFacts } from './billing-facts';
import { PaymentMethods } from './payment-methods.service';
import type { NewMethod } from './payment-methods.service';
import { AuditLog, CustomerStore, Secrets } from './ports';
import { Subscribing } from './subscribing.service';
import type { SubscribingRefusal } from './subscribing.service';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface GivenKey {
  readonly key: string;
  readonly subject: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

/** What callers say about a customer; what is left out stays as it is, or takes the tenant's default. */
export interface CustomerDetails {
  readonly name?: string | null;
  readonly email?: string | null;
  readonly webhookUrl?: string | null;
  readonly timezone?: string;
  readonly currency?: string;
  readonly subjects?: readonly string[];
  /** Keys of customers. */
  readonly parent?: string | null;
  readonly payer?: string | null;
  readonly overdraft?: Readonly<Record<string, string>>;
}

export interface NewCustomer extends CustomerDetails {
  readonly key: string;
  /** Absent: one key is made and shown once. */
  readonly apiKeys: readonly GivenKey[] | null;
  readonly plan: string | null;
  readonly paymentMethod: NewMethod | null;
}

export interface CreatedCustomer {
  readonly customer: Customer;
  readonly subscription: Subscription | null;
  /** The key that was made, in clear; null when keys were given. */
  readonly madeKey: string | null;
}

export type CustomerRefusal =
  | { readonly code: 'taken'; readonly what: readonly string[] }
  | { readonly code: 'unknown_customer'; readonly key: string }
  | { readonly code: 'payer_chain'; readonly key: string }
  | { readonly code: SubscribingRefusal };

/** Customers, their subjects and the keys that their programs send to gateways. */
@Injectable()
export class Customers {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly store: CustomerStore,
    private readonly methods: PaymentMethods,
    private readonly subscribing: Subscribing,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
    private readonly secrets: Secrets,
    private readonly ids: Ids,
  ) {}

  find(caller: Caller, key: string): Promise<Customer | null> {
    return this.sessions.read(caller, (session) => this.store.byKey(session, key));
  }

  list(caller: Caller, after: string, limit: number): Promise<readonly Customer[]> {
    return this.sessions.read(caller, (session) => this.store.list(session, after, limit));
  }

  create(caller: Caller, wanted: NewCustomer): Promise<Result<CreatedCustomer, CustomerRefusal>> {
    return this.sessions.change(caller, (session) => this.createIn(session, wanted));
  }

  change(caller: Caller, key: string, details: CustomerDetails): Promise<Result<Customer, CustomerRefusal>> {
    return this.sessions.change(caller, async (session) => {
      const present = await this.store.byKey(session, key);
      if (present === null) return err({ code: 'unknown_customer', key });
      return this.save(session, present, details, 'customer.changed');
    });
  }

  /** The whole list of a customer's keys: one that is not in it is unknown from now on. */
  setKeys(
    caller: Caller,
    key: string,
    given: readonly GivenKey[],
  ): Promise<Result<Customer, CustomerRefusal>> {
    return this.sessions.change(caller, async (session) => {
      const present = await this.store.byKey(session, key);
      if (present === null) return err({ code: 'unknown_customer', key });
      const apiKeys = given.map((one) => this.consumerKey(one, present.apiKeys));
      return this.save(session, { ...present, apiKeys }, {}, 'customer.keys_set');
    });
  }

  private async createIn(
    session: Session,
    wanted: NewCustomer,
  ): Promise<Result<CreatedCustomer, CustomerRefusal>> {
    if ((await this.store.byKey(session, wanted.key)) !== null)
      return err({ code: 'taken', what: [`key ${wanted.key}`] });
    const plan = wanted.plan === null ? null : await this.subscribing.soldPlan(session, wanted.plan);
    if (wanted.plan !== null && plan === null) return err({ code: 'unknown_plan' });
    const madeKey = wanted.apiKeys === null ? this.secrets.create('tgc') : null;
    const given = wanted.apiKeys ?? [plainKey(madeKey ?? '')];
    const apiKeys = given.map((one) => this.consumerKey(one, []));
    const fresh = { ...this.blank(session, wanted.key), apiKeys };
    const saved = await this.save(session, fresh, wanted, 'customer.created');
    if (!saved.ok) return saved;
    return this.furnish(session, saved.value, wanted, madeKey);
  }

  /** The method comes before the plan: it decides in which state the subscription begins. */
  private async furnish(
    session: Session,
    customer: Customer,
    { plan, paymentMethod }: NewCustomer,
    madeKey: string | null,
  ): Promise<Result<CreatedCustomer, CustomerRefusal>> {
    if (paymentMethod !== null) await this.methods.store(session, customer, paymentMethod);
    if (plan === null) return ok({ customer, subscription: null, madeKey });
    const request = { plan, startsAt: null, trialDays: null, coupon: null };
    const subscribed = await this.subscribing.subscribe(session, customer, request);
    if (!subscribed.ok) return err({ code: subscribed.error });
    return ok({ customer, subscription: subscribed.value, madeKey });
  }

  private async save(
    session: Session,
    present: Customer,
    details: CustomerDetails,
    action: string,
  ): Promise<Result<Customer, CustomerRefusal>> {
    const relatives = await this.relatives(session, present, details);
    if (!relatives.ok) return relatives;
    const { parent: _, payer: __, ...plain } = known(details);
    const customer = { ...present, ...plain, ...relatives.value, version: present.version + 1 };
    const taken = await this.store.conflicts(session, customer);
    if (taken.length > 0) return err({ code: 'taken', what: taken });
    await this.store.save(session, customer);
    await this.facts.customer(session, customer);
    await this.audit.record(session, { action, target: customer.key });
    return ok(customer);
  }

  /** A payer pays for itself: chains of payers would leave open who owes. */
  private async relatives(
    session: Session,
    present: Customer,
    { parent, payer }: CustomerDetails,
  ): Promise<Result<Pick<Customer, 'parentId' | 'payerId'>, CustomerRefusal>> {
    const ids = { parentId: present.parentId, payerId: present.payerId };
    for (const [field, key] of [
      ['parentId', parent],
      ['payerId', payer],
    ] as const) {
      if (key === undefined) continue;
      const found = key === null ? null : await this.store.byKey(session, key);
      if (key !== null && found === null) return err({ code: 'unknown_customer', key });
      if (field === 'payerId' && found !== null && (found.payerId !== null || found.id === present.id))
        return err({ code: 'payer_chain', key: found.key });
      ids[field] = found?.id ?? null;
    }
    return ok(ids);
  }

  private blank({ tenant }: Session, key: string): Customer {
    return {
      id: this.ids.next(),
      key,
      name: null,
      email: null,
      webhookUrl: null,
      timezone: tenant.timezone,
      currency: tenant.currency,
      subjects: [],
      apiKeys: [],
      parentId: null,
      payerId: null,
      overdraft: {},
      version: 0,
    };
  }

  /** A key given again keeps its id. */
  private consumerKey({ key, ...rest }: GivenKey, present: readonly ConsumerKey[]): ConsumerKey {
    const hash = this.secrets.hash(key);
    const same = present.find((other) => other.hash === hash);
    return { id: same?.id ?? this.ids.next(), hash, ...rest };
  }
}

function plainKey(key: string): GivenKey {
  return { key, subject: null, expiresAt: null, revokedAt: null };
}

/** Only what was said, and only what a customer has. */
function known(details: CustomerDetails): Partial<Customer> & CustomerDetails {
  const { name, email, webhookUrl, timezone, currency, subjects, overdraft } = details;
  const said = { name, email, webhookUrl, timezone, currency, subjects, overdraft };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
