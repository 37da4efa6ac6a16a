import { addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { behaviourOfMethod, parseBehaviour } from './behaviour';
import type { Behaviour } from './behaviour';
import { scopeOf } from './record';
import type { Charge, Entry, ProviderRecord } from './record';

export interface ChargeOrder {
  readonly key: string;
  readonly tenant: string;
  readonly mode: 'test' | 'live';
  readonly customer: string;
  readonly invoice: string;
  readonly attempt: string;
  readonly purpose: string;
  readonly amount: string;
  readonly currency: string;
  readonly method: string | null;
}

/** What the caller gets to see: an answer, a connection that ends without one, or no connection at all. */
export type ChargeReaction =
  | {
      readonly answer: 'given';
      readonly charge: Charge;
      readonly entries: readonly Entry[];
      readonly announce: boolean;
    }
  | { readonly answer: 'lost'; readonly charge: Charge; readonly entries: readonly Entry[] }
  | { readonly answer: 'refused'; readonly entries: readonly Entry[] };

/** Decides one charge by script: a customer's beats that of `*`, and both beat the card's own behaviour. */
export function decideCharge(record: ProviderRecord, order: ChargeOrder, now: Instant): ChargeReaction {
  const known = record.byKey.get(order.key);
  const before = known === undefined ? undefined : record.charge(known);
  if (before !== undefined) return { answer: 'given', charge: before, entries: [], announce: false };
  if (outageRuns(record, order, now)) return { answer: 'refused', entries: [] };
  const { behaviour, name, scope, entries } = pick(record, order, now);
  if (behaviour.kind === 'refused') return { answer: 'refused', entries };
  if (behaviour.kind === 'outage') {
    const until = addMicros(now, behaviour.micros);
    return {
      answer: 'refused',
      entries: [...entries, { t: 'outage', tenant: order.tenant, customer: scope, name, until }],
    };
  }
  return react(record, order, behaviour, entries, now);
}

function react(
  record: ProviderRecord,
  order: ChargeOrder,
  behaviour: Exclude<Behaviour, { kind: 'refused' | 'outage' }>,
  consumed: readonly Entry[],
  now: Instant,
): ChargeReaction {
  const charge = newCharge(record, order, behaviour, now);
  const entries: readonly Entry[] = [...consumed, { t: 'charge', charge }];
  // A timeout loses the webhook with the answer: only the record knows, until it is asked or told to speak.
  if (behaviour.kind.startsWith('timeout_')) return { answer: 'lost', charge, entries };
  return { answer: 'given', charge, entries, announce: charge.settledAt !== null };
}

function newCharge(
  record: ProviderRecord,
  order: ChargeOrder,
  behaviour: Exclude<Behaviour, { kind: 'refused' | 'outage' }>,
  now: Instant,
): Charge {
  const number = record.chargesOf(order.tenant, order.customer).length + 1;
  const status = statusOf(behaviour);
  const settled = status === 'succeeded' || status === 'declined';
  return {
    ...order,
    ref: `ch_${order.tenant.slice(0, 8)}_${record.charges.size + 1}`,
    at: now,
    number,
    status,
    code: behaviour.kind === 'decline' ? behaviour.code : status === 'declined' ? 'do_not_honor' : null,
    advice: behaviour.kind === 'decline' ? behaviour.advice : null,
    settledAt: settled ? now : null,
    capturedAt: status === 'succeeded' ? now : null,
    dispute: null,
  };
}

function statusOf({ kind }: Exclude<Behaviour, { kind: 'refused' | 'outage' }>): Charge['status'] {
  if (kind === 'ok' || kind === 'timeout_captured') return 'succeeded';
  if (kind === 'decline' || kind === 'timeout_declined') return 'declined';
  return kind === 'requires_action' ? 'requires_action' : 'pending';
}

interface Picked {
  readonly behaviour: Behaviour;
  readonly name: string;
  readonly scope: string;
  readonly entries: readonly Entry[];
}

function pick(record: ProviderRecord, order: ChargeOrder, now: Instant): Picked {
  for (const scope of [order.customer, '*']) {
    const script = record.scripts.get(scopeOf(order.tenant, scope));
    const next = script?.next[0];
    const entries: readonly Entry[] =
      next === undefined ? [] : [{ t: 'consumed', tenant: order.tenant, customer: scope }];
    const picked = usable(record, order, scope, next ?? script?.then ?? null, now);
    if (picked !== null) return { ...picked, scope, entries };
  }
  const card = usable(record, order, order.customer, behaviourOfMethod(order.method), now);
  return { ...(card ?? { behaviour: { kind: 'ok' }, name: 'ok' }), scope: order.customer, entries: [] };
}

/** An outage happens once per script or card: when it is over, what lies beneath answers. */
function usable(
  record: ProviderRecord,
  order: ChargeOrder,
  scope: string,
  name: string | null,
  now: Instant,
): { behaviour: Behaviour; name: string } | null {
  const behaviour = name === null ? null : parseBehaviour(name);
  if (name === null || behaviour === null) return null;
  const until = record.outages.get(scopeOf(order.tenant, scope))?.get(name);
  return behaviour.kind === 'outage' && until !== undefined && until <= now ? null : { behaviour, name };
}

function outageRuns(record: ProviderRecord, { tenant, customer }: ChargeOrder, now: Instant): boolean {
  return [customer, '*'].some((scope) =>
    [...(record.outages.get(scopeOf(tenant, scope))?.values() ?? [])].some((until) => now < until),
  );
}
