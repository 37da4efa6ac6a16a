import { formatAmount, formatInstant, parseAmount, sumNano } from '@tallygate/kernel';
import type { Clock, Instant, Nano } from '@tallygate/kernel';
import { decideCharge } from './charge';
import type { ChargeOrder, ChargeReaction } from './charge';
import type { Journal } from './journal';
import { scopeOf } from './record';
import type { Charge, Delivery, DisputeState, Entry, ProviderRecord, Refund, Script } from './record';

/** What a scenario asks of a customer's provider events. */
export interface EventOrder {
  readonly tenant: string;
  readonly customer: string;
  readonly hold: boolean | null;
  readonly deliver: readonly string[];
  readonly drop: readonly string[];
  readonly duplicate: number;
  readonly mode: 'test' | 'live';
  readonly secret: 'right' | 'wrong';
}

export type RefundReaction =
  | { readonly refund: Refund }
  | { readonly refused: 'unknown_charge' | 'not_captured' | 'more_than_captured' };

const REF = /^(\d+)\.(succeeded|declined|dispute_opened|dispute_won|dispute_lost)$/;
const DISPUTES: Readonly<Record<string, DisputeState>> = {
  dispute_opened: 'open',
  dispute_won: 'won',
  dispute_lost: 'lost',
};

/** The provider's own side of every charge: decides, writes down, then lets others know. */
export class SandboxProvider {
  private deliverySequence = 0;

  constructor(
    private readonly record: ProviderRecord,
    private readonly journal: Journal,
    private readonly clock: Clock,
    /** Tells deliveries of one run of the process from those of the next. */
    private readonly run: string,
    private readonly announced: () => void,
  ) {}

  now(tenant: string): Instant {
    return this.record.clocks.get(tenant) ?? this.clock.now();
  }

  setClock(tenant: string, now: Instant): Promise<void> {
    if ((this.record.clocks.get(tenant) ?? -Infinity) >= now) return Promise.resolve();
    return this.write([{ t: 'clock', tenant, now }]);
  }

  async charge(order: ChargeOrder, at: Instant | null): Promise<ChargeReaction> {
    if (at !== null && order.mode === 'test') await this.setClock(order.tenant, at);
    const reaction = decideCharge(this.record, order, at ?? this.now(order.tenant));
    const announcements =
      reaction.answer === 'given' && reaction.announce
        ? [this.announce(reaction.charge, reaction.charge.status)]
        : [];
    await this.write([...reaction.entries, ...announcements]);
    this.announced();
    return reaction;
  }

  chargeByKey(key: string): Charge | null {
    const ref = this.record.byKey.get(key);
    return ref === undefined ? null : (this.record.charge(ref) ?? null);
  }

  /** Ends a step that waits for the customer. A charge already settled keeps its outcome. */
  async cancel(key: string): Promise<Charge | null> {
    const charge = this.chargeByKey(key);
    if (charge === null || charge.status !== 'requires_action') return charge;
    await this.settle(charge, 'declined', 'authentication_required', false);
    return this.chargeByKey(key);
  }

  async authenticate(
    tenant: string,
    customer: string,
    outcome: 'done' | 'abandoned',
  ): Promise<Charge | null> {
    const waiting = this.record
      .chargesOf(tenant, customer)
      .filter((charge) => charge.status === 'requires_action')
      .at(-1);
    if (waiting === undefined) return null;
    const status = outcome === 'done' ? 'succeeded' : 'declined';
    await this.settle(waiting, status, status === 'declined' ? 'authentication_required' : null, true);
    return this.record.charge(waiting.ref) ?? null;
  }

  async refund(key: string, ref: string, amount: string | null, at: Instant | null): Promise<RefundReaction> {
    const repeated = this.record.refundKeys.get(key);
    if (repeated !== undefined) return { refund: repeated };
    const charge = this.record.charge(ref);
    if (charge === undefined) return { refused: 'unknown_charge' };
    if (charge.capturedAt === null) return { refused: 'not_captured' };
    const left =
      nano(charge.amount) -
      sumNano(
        this.record.refunds.filter((refund) => refund.ref === ref).map((refund) => nano(refund.amount)),
      );
    const wanted = amount === null ? left : nano(amount);
    if (wanted > left || wanted <= 0n) return { refused: 'more_than_captured' };
    const refund = { key, ref, amount: formatAmount(wanted), at: at ?? this.now(charge.tenant) };
    await this.write([{ t: 'refund', refund }]);
    return { refund };
  }

  async dispute(ref: string, state: DisputeState, amount: string | null): Promise<Charge | null> {
    const charge = this.record.charge(ref);
    if (charge === undefined || charge.capturedAt === null) return null;
    const event = state === 'open' ? 'dispute_opened' : state === 'won' ? 'dispute_won' : 'dispute_lost';
    await this.write([{ t: 'dispute', ref, state }, this.announce(charge, event, { amount })]);
    this.announced();
    return this.record.charge(ref) ?? null;
  }

  script(tenant: string, customer: string, script: Script): Promise<void> {
    return this.write([{ t: 'script', tenant, customer, script }]);
  }

  /** @returns the references that name no charge of the customer */
  async events(order: EventOrder): Promise<readonly string[]> {
    const { tenant, customer } = order;
    if (order.hold !== null) await this.write([{ t: 'hold', tenant, customer, hold: order.hold }]);
    if (order.hold === false) await this.releaseAll(tenant, customer);
    const unknown: string[] = [];
    for (const ref of order.drop) if (!(await this.drop(order, ref))) unknown.push(ref);
    for (const ref of order.deliver) if (!(await this.deliver(order, ref))) unknown.push(ref);
    this.announced();
    return unknown;
  }

  captures(tenant: string, customer: string): { list: readonly CaptureRow[]; total: string } {
    const charges = this.record.chargesOf(tenant, customer);
    const refs = new Map(charges.map((charge) => [charge.ref, charge]));
    const captures = charges.flatMap((charge) =>
      charge.capturedAt === null ? [] : [captureRow(charge, charge.capturedAt, nano(charge.amount))],
    );
    const refunds = this.record.refunds.flatMap((refund) => {
      const charge = refs.get(refund.ref);
      return charge === undefined ? [] : [captureRow(charge, refund.at, -nano(refund.amount))];
    });
    const list = [...captures, ...refunds].sort((a, b) => a.instant - b.instant).map(({ row }) => row);
    return { list, total: formatAmount(sumNano(list.map((row) => nano(row.amount)))) };
  }

  charges(tenant: string, customer: string | null): readonly Charge[] {
    if (customer !== null) return this.record.chargesOf(tenant, customer);
    return [...this.record.charges.values()].filter((charge) => charge.tenant === tenant);
  }

  private async deliver(order: EventOrder, ref: string): Promise<boolean> {
    const found = this.find(order, ref);
    if (found === null) return false;
    const { charge, event } = found;
    if (order.mode === charge.mode && order.secret === 'right') await this.take(charge, event);
    const waiting = this.waitingFor(charge, event);
    const settled = this.record.charge(charge.ref) ?? charge;
    const delivery = this.announce(settled, event, {
      mode: order.mode,
      secret: order.secret,
      copies: order.duplicate,
      named: true,
    });
    await this.write([...waiting.map((id): Entry => ({ t: 'done', id })), delivery]);
    return true;
  }

  private async drop(order: EventOrder, ref: string): Promise<boolean> {
    const found = this.find(order, ref);
    if (found === null) return false;
    await this.take(found.charge, found.event);
    await this.write(this.waitingFor(found.charge, found.event).map((id): Entry => ({ t: 'done', id })));
    return true;
  }

  /** Brings the record itself to what the event says. A capture never becomes a decline again. */
  private async take(charge: Charge, event: string): Promise<void> {
    const state = DISPUTES[event];
    if (state !== undefined) return this.write([{ t: 'dispute', ref: charge.ref, state }]);
    if (charge.status === 'succeeded' || charge.status === event) return;
    await this.settle(
      charge,
      event === 'succeeded' ? 'succeeded' : 'declined',
      event === 'declined' ? 'do_not_honor' : null,
      false,
    );
  }

  private async settle(
    charge: Charge,
    status: 'succeeded' | 'declined',
    code: string | null,
    announce: boolean,
  ): Promise<void> {
    await this.write([{ t: 'settled', ref: charge.ref, status, code, at: this.now(charge.tenant) }]);
    const settled = this.record.charge(charge.ref);
    if (!announce || settled === undefined) return;
    await this.write([this.announce(settled, status)]);
    this.announced();
  }

  private find({ tenant, customer }: EventOrder, ref: string): { charge: Charge; event: string } | null {
    const [, number, event] = REF.exec(ref) ?? [];
    const charge = this.record.chargesOf(tenant, customer)[Number(number) - 1];
    return charge === undefined || event === undefined ? null : { charge, event };
  }

  private waitingFor(charge: Charge, event: string): string[] {
    return [...this.record.deliveries.values()]
      .filter((d) => d.ref === charge.ref && d.event === event)
      .map((d) => d.id);
  }

  private async releaseAll(tenant: string, customer: string): Promise<void> {
    const held = [...this.record.deliveries.values()].filter(
      (d) => d.held && d.tenant === tenant && d.customer === customer,
    );
    await this.write(held.map((d): Entry => ({ t: 'released', id: d.id })));
  }

  private announce(
    charge: Charge,
    event: string,
    {
      mode = charge.mode,
      secret = 'right',
      copies = 1,
      amount = null,
      named = false,
    }: Partial<Announcement> = {},
  ): Entry {
    this.deliverySequence += 1;
    const explicit = secret === 'wrong' || mode !== charge.mode;
    const delivery: Delivery = {
      id: `${this.run}_${this.deliverySequence}`,
      tenant: charge.tenant,
      customer: charge.customer,
      ref: charge.ref,
      event,
      body: webhookBody(charge, event, mode, explicit, this.now(charge.tenant), amount),
      copies,
      secret,
      held: !named && this.record.holds.has(scopeOf(charge.tenant, charge.customer)),
    };
    return { t: 'queued', delivery };
  }

  private write(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.record.apply(entry);
    return entries.length === 0 ? Promise.resolve() : this.journal.append(entries);
  }
}

interface Announcement {
  readonly mode: 'test' | 'live';
  readonly secret: 'right' | 'wrong';
  readonly copies: number;
  readonly amount: string | null;
  /** A scenario names this event: it does not wait while others are held. */
  readonly named: boolean;
}

export interface CaptureRow {
  readonly at: string;
  readonly amount: string;
  readonly currency: string;
  readonly invoice: string;
  readonly charge: string;
}

function captureRow(charge: Charge, instant: Instant, amount: Nano): { instant: Instant; row: CaptureRow } {
  const { currency, invoice, ref } = charge;
  return {
    instant,
    row: { at: formatInstant(instant), amount: formatAmount(amount), currency, invoice, charge: ref },
  };
}

function nano(text: string): Nano {
  const parsed = parseAmount(text);
  return parsed.ok ? parsed.value : 0n;
}

function webhookBody(
  charge: Charge,
  event: string,
  mode: 'test' | 'live',
  forged: boolean,
  now: Instant,
  amount: string | null,
): string {
  const declined = event === 'declined';
  return JSON.stringify({
    id: `evt_${charge.ref}_${event}${forged ? '_forged' : ''}`,
    type: `charge.${event}`,
    account: charge.tenant,
    mode,
    created_at: formatInstant(now),
    data: {
      charge: charge.ref,
      idempotency_key: charge.key,
      attempt: charge.attempt,
      invoice: charge.invoice,
      customer: charge.customer,
      amount: amount ?? charge.amount,
      currency: charge.currency,
      code: declined ? (charge.status === 'declined' ? charge.code : 'do_not_honor') : null,
      advice: declined ? charge.advice : null,
      captured_at: charge.capturedAt === null ? null : formatInstant(charge.capturedAt),
    },
  });
}
