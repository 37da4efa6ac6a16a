/**
 * A fact as it travels between services: one JSON object per message. The message headers repeat `type` and `tenant`,
 * so that a consumer may skip what it does not know without parsing.
 */
export interface EventEnvelope<Type extends string, Data> {
  /** Unique; a consumer that cannot compare versions keeps it to handle each fact once. */
  readonly id: string;
  readonly type: Type;
  readonly tenantId: string;
  /** When it took effect, on the tenant's clock; RFC 3339 with microseconds. */
  readonly occurredAt: string;
  readonly data: Data;
}

export const TOPICS = {
  /** CloudEvents from gateways and services, as sent. Any key; header `tenant` names the tenant by its id. */
  usageRaw: 'usage.raw',
  /** Metered usage; key: a lane on the partition of `usageLane(customer id)`; one JSON array of MeteredEvent per message. */
  usageMetered: 'usage.metered',
  /** Key: customer id. */
  ledgerEvents: 'ledger.events',
  /** Key: tenant id, so that catalog, customers, subscriptions and invoices of a tenant stay in one order. */
  billingEvents: 'billing.events',
  /** Key: customer id (the payer). */
  dunningEvents: 'dunning.events',
  /** Key: customer id. */
  notifierEvents: 'notifier.events',
  /** Decisions and refusals that gates report; key: customer id. */
  gateEvents: 'gate.events',
} as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];
