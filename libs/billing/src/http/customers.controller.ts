import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import type { Result } from '@tallygate/kernel';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { z } from 'zod';
import type { Customer } from '../domain';
import { Customers } from '../service/customers.service';
import type { CreatedCustomer, CustomerRefusal } from '../service/customers.service';
import { CustomerFlags } from '../service/flags.service';
import { PaymentMethods } from '../service/payment-methods.service';
import type { Caller } from '../service/tenant-session';
import { CurrentCaller } from './caller';
import { CUSTOMERS } from './customer-operations';
import { BILLING_TAG } from './operations';
import { notFound, refused } from './refusals';
import {
  apiKeysBody,
  customerBody,
  customerPatch,
  overrideBody,
  pageQuery,
  paymentMethodBody,
  reviewBody,
} from './requests';
import { customerView, flagsView, subscriptionView } from './views';

/** Customers, their keys, their payment method and what administrators laid over their state. */
@Api(BILLING_TAG)
@Controller('v1/customers')
export class CustomersController {
  constructor(
    private readonly customers: Customers,
    private readonly methods: PaymentMethods,
    private readonly flags: CustomerFlags,
  ) {}

  @Post()
  @Operation(CUSTOMERS.create)
  async create(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(customerBody)) body: z.output<typeof customerBody>,
  ) {
    const { webhook, api_keys, plan, payment_method, ...rest } = body;
    const created = await this.customers.create(caller, {
      ...rest,
      webhookUrl: webhook,
      apiKeys: api_keys ?? null,
      plan: plan ?? null,
      paymentMethod: payment_method ?? null,
    });
    return createdView(valueOf(created));
  }

  @Get()
  @Operation(CUSTOMERS.list)
  async list(
    @CurrentCaller() caller: Caller,
    @Query(new ZodBody(pageQuery)) { after, limit }: z.output<typeof pageQuery>,
  ) {
    const customers = await this.customers.list(caller, after, limit);
    return { customers: customers.map(customerView), next: customers.at(limit - 1)?.key ?? null };
  }

  @Get(':customer')
  @Operation(CUSTOMERS.show)
  async show(@CurrentCaller() caller: Caller, @Param('customer') key: string) {
    const customer = await this.customers.find(caller, key);
    if (customer === null) throw notFound('customer');
    return { ...customerView(customer), ...flagsView((await this.flags.find(caller, key)) ?? NONE) };
  }

  @Patch(':customer')
  @Operation(CUSTOMERS.change)
  async change(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(customerPatch)) body: z.output<typeof customerPatch>,
  ) {
    const { webhook, api_keys, payment_method, key: _, ...rest } = body;
    let customer = valueOf(await this.customers.change(caller, key, { ...rest, webhookUrl: webhook }));
    if (api_keys !== undefined) customer = valueOf(await this.customers.setKeys(caller, key, api_keys));
    if (payment_method !== undefined) await this.methods.set(caller, key, payment_method);
    return customerView(customer);
  }

  @Put(':customer/api-keys')
  @Operation(CUSTOMERS.setKeys)
  async setKeys(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(apiKeysBody)) { api_keys }: z.output<typeof apiKeysBody>,
  ) {
    return customerView(valueOf(await this.customers.setKeys(caller, key, api_keys)));
  }

  @Put(':customer/payment-method')
  @Operation(CUSTOMERS.setMethod)
  async setMethod(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(paymentMethodBody)) body: z.output<typeof paymentMethodBody>,
  ) {
    const method = await this.methods.set(caller, key, body);
    if (method === null) throw notFound('customer');
    const { id, label, brand, funding, expires } = method;
    return { customer: key, id, set: label, brand, funding, expires };
  }

  @Delete(':customer/payment-method')
  @Operation(CUSTOMERS.removeMethod)
  async removeMethod(@CurrentCaller() caller: Caller, @Param('customer') key: string) {
    if (!(await this.methods.remove(caller, key))) throw notFound('customer');
    return { customer: key, removed: true as const };
  }

  @Put(':customer/override')
  @Operation(CUSTOMERS.override)
  async override(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(overrideBody)) { until, author, reason }: z.output<typeof overrideBody>,
  ) {
    const flags = await this.flags.override(caller, key, { until: until ?? null, author, reason });
    if (flags === null) throw notFound('customer');
    return { customer: key, ...flagsView(flags) };
  }

  @Delete(':customer/override')
  @Operation(CUSTOMERS.removeOverride)
  async removeOverride(@CurrentCaller() caller: Caller, @Param('customer') key: string) {
    const flags = await this.flags.override(caller, key, null);
    if (flags === null) throw notFound('customer');
    return { customer: key, ...flagsView(flags) };
  }

  @Put(':customer/review')
  @Operation(CUSTOMERS.review)
  async review(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(reviewBody)) { state }: z.output<typeof reviewBody>,
  ) {
    const flags = await this.flags.review(caller, key, state === 'open');
    if (flags === null) throw notFound('customer');
    return { customer: key, ...flagsView(flags) };
  }
}

const NONE = { override: null, underReview: false, approvals: {}, version: 0 };

function valueOf<T extends Customer | CreatedCustomer>(outcome: Result<T, CustomerRefusal>): T {
  if (outcome.ok) return outcome.value;
  throw refused(outcome.error);
}

/** The key that was made is shown here and never again. */
function createdView({ customer, subscription, madeKey }: CreatedCustomer) {
  const view = customerView(customer);
  const keys = madeKey === null ? view.api_keys : view.api_keys.map((key) => ({ ...key, key: madeKey }));
  return {
    ...view,
    api_keys: keys,
    subscription: subscription === null ? null : subscriptionView(subscription, customer.key),
  };
}
