import type { Instant } from '@tallygate/kernel';

export type ChargeStatus = 'succeeded' | 'declined' | 'requires_action' | 'pending';
export type DisputeState = 'open' | 'won' | 'lost';

/** One charge as the provider knows it, whatever its caller was told. */
export interface Charge {
  readonly ref: string;
  readonly key: string;
  readonly tenant: string;
  readonly mode: 'test' | 'live';
  /** The customer's key. */
  readonly customer: string;
  readonly invoice: string;
  readonly attempt: string;
  readonly purpose: string;
  readonly amount: string;
  readonly currency: string;
  readonly method: string | null;
  readonly at: Instant;
  /** Counts the customer's charges from 1: how scenarios name them. */
  readonly number: number;
  readonly status: ChargeStatus;
  readonly code: string | null;
  readonly advice: string | null;
  readonly settledAt: Instant | null;
  readonly capturedAt: Instant | null;
  readonly dispute: DisputeState | null;
}

export interface Refund {
  readonly key: string;
  readonly ref: string;
  readonly amount: string;
  readonly at: Instant;
}

export interface Script {
  readonly next: readonly string[];
  readonly then: string | null;
}

/** A webhook to send. `copies` times, signed with the account's secret unless `secret` is wrong. */
export interface Delivery {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly ref: string;
  readonly event: string;
  readonly body: string;
  readonly copies: number;
  readonly secret: 'right' | 'wrong';
  readonly held: boolean;
}

/** One line of the record. What happened is the fold of these, in order. */
export type Entry =
  | { readonly t: 'clock'; readonly tenant: string; readonly now: Instant }
  | { readonly t: 'script'; readonly tenant: string; readonly customer: string; readonly script: Script }
  | { readonly t: 'consumed'; readonly tenant: string; readonly customer: string }
  | {
      readonly t: 'outage';
      readonly tenant: string;
      readonly customer: string;
      readonly name: string;
      readonly until: Instant;
    }
  | { readonly t: 'charge'; readonly charge: Charge }
  | {
      readonly t: 'settled';
      readonly ref: string;
      readonly status: 'succeeded' | 'declined';
      readonly code: string | null;
      readonly at: Instant;
    }
  | { readonly t: 'refund'; readonly refund: Refund }
  | { readonly t: 'dispute'; readonly ref: string; readonly state: DisputeState }
  | { readonly t: 'hold'; readonly tenant: string; readonly customer: string; readonly hold: boolean }
  | { readonly t: 'queued'; readonly delivery: Delivery }
  | { readonly t: 'released'; readonly id: string }
  | { readonly t: 'done'; readonly id: string };

/** Names one customer of one tenant; `*` stands for all of them. */
export function scopeOf(tenant: string, customer: string): string {
  return JSON.stringify([tenant, customer]);
}

/** Everything the provider knows, rebuilt from the journal at start. */
export class ProviderRecord {
  readonly clocks = new Map<string, Instant>();
  readonly scripts = new Map<string, Script>();
  readonly outages = new Map<string, Map<string, Instant>>();
  readonly charges = new Map<string, Charge>();
  readonly byKey = new Map<string, string>();
  readonly byCustomer = new Map<string, string[]>();
  readonly refunds: Refund[] = [];
  readonly refundKeys = new Map<string, Refund>();
  readonly holds = new Set<string>();
  readonly deliveries = new Map<string, Delivery>();

  apply(entry: Entry): void {
    switch (entry.t) {
      case 'clock':
        this.clocks.set(entry.tenant, entry.now);
        return;
      case 'script':
        this.scripts.set(scopeOf(entry.tenant, entry.customer), entry.script);
        this.outages.delete(scopeOf(entry.tenant, entry.customer));
        return;
      case 'consumed':
        this.consume(scopeOf(entry.tenant, entry.customer));
        return;
      case 'outage':
        this.noteOutage(scopeOf(entry.tenant, entry.customer), entry.name, entry.until);
        return;
      case 'refund':
        this.refunds.push(entry.refund);
        this.refundKeys.set(entry.refund.key, entry.refund);
        return;
      case 'hold':
        this.holds[entry.hold ? 'add' : 'delete'](scopeOf(entry.tenant, entry.customer));
        return;
      default:
        this.applyToCharge(entry);
    }
  }

  charge(ref: string): Charge | undefined {
    return this.charges.get(ref);
  }

  chargesOf(tenant: string, customer: string): readonly Charge[] {
    return (this.byCustomer.get(scopeOf(tenant, customer)) ?? []).flatMap(
      (ref) => this.charges.get(ref) ?? [],
    );
  }

  private applyToCharge(
    entry: Extract<Entry, { t: 'charge' | 'settled' | 'dispute' | 'queued' | 'released' | 'done' }>,
  ): void {
    switch (entry.t) {
      case 'charge':
        this.addCharge(entry.charge);
        return;
      case 'settled':
        this.change(entry.ref, {
          status: entry.status,
          code: entry.code,
          settledAt: entry.at,
          capturedAt: entry.status === 'succeeded' ? entry.at : null,
        });
        return;
      case 'dispute':
        this.change(entry.ref, { dispute: entry.state });
        return;
      case 'queued':
        this.deliveries.set(entry.delivery.id, entry.delivery);
        return;
      case 'released':
        this.release(entry.id);
        return;
      case 'done':
        this.deliveries.delete(entry.id);
    }
  }

  private addCharge(charge: Charge): void {
    this.charges.set(charge.ref, charge);
    this.byKey.set(charge.key, charge.ref);
    const scope = scopeOf(charge.tenant, charge.customer);
    const refs = this.byCustomer.get(scope);
    if (refs === undefined) this.byCustomer.set(scope, [charge.ref]);
    else refs.push(charge.ref);
  }

  private change(ref: string, change: Partial<Charge>): void {
    const charge = this.charges.get(ref);
    if (charge !== undefined) this.charges.set(ref, { ...charge, ...change });
  }

  private consume(scope: string): void {
    const script = this.scripts.get(scope);
    if (script !== undefined) this.scripts.set(scope, { ...script, next: script.next.slice(1) });
  }

  private noteOutage(scope: string, name: string, until: Instant): void {
    const known = this.outages.get(scope) ?? new Map<string, Instant>();
    this.outages.set(scope, known.set(name, until));
  }

  private release(id: string): void {
    const delivery = this.deliveries.get(id);
    if (delivery !== undefined) this.deliveries.set(id, { ...delivery, held: false });
  }
}
