import { divideHalfEven, maxNano, minNano, NANO, roundToMinor, sumNano, toLocal } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { knownAmount, prorate } from './amounts';
import type { Discount } from './subscription';

/** Why an invoice of a subscription exists: what its payment does depends on it. */
export type ChargePurpose =
  /** A period of a subscription that is served already. */
  | 'period'
  /** The first period of one that waits for its payment; it begins with the payment. */
  | 'activation'
  /** The difference of an upgrade, or a plan bought from the free tier: paid, or it never was. */
  | 'change';

export interface InvoiceLine {
  readonly description: string;
  /** A multiple of the currency's minor unit; discounts are negative. */
  readonly amount: Nano;
}

/** An invoice to write: its lines are rounded, the sum is exact. */
export interface Charge {
  readonly purpose: ChargePurpose;
  /** What its age counts from. */
  readonly anchor: Instant;
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
  readonly total: Nano;
  /** What rounding left, for the subscription's next invoice. */
  readonly carry: Nano;
}

/** What is charged, before discount and rounding. */
export interface ChargeBasis {
  readonly purpose: ChargePurpose;
  readonly anchor: Instant;
  readonly period: { readonly start: Instant; readonly end: Instant };
  /** Where the share begins; the period's start for a whole period. */
  readonly from: Instant;
  readonly amount: Nano;
  readonly description: string;
  readonly currency: string;
  readonly zone: string;
}

/** Lines round to the minor unit once each; what one leaves goes into the next, and the last into the next invoice. */
export function chargeOf(basis: ChargeBasis, discount: Discount | null, carry: Nano): Charge {
  const share = prorate(basis.amount, basis.period, basis.from);
  const exact = [
    { description: describe(basis), amount: share },
    ...(discount === null ? [] : [discountLine(discount, share)]),
  ];
  const { lines, left } = roundLines(exact, carry, basis.currency);
  return {
    purpose: basis.purpose,
    anchor: basis.anchor,
    periodStart: basis.period.start,
    periodEnd: basis.period.end,
    currency: basis.currency,
    lines,
    total: maxNano(0n, sumNano(lines.map((line) => line.amount))),
    carry: left,
  };
}

function roundLines(
  exact: readonly InvoiceLine[],
  carry: Nano,
  currency: string,
): { lines: InvoiceLine[]; left: Nano } {
  let left = carry;
  const lines = exact.map(({ description, amount }) => {
    const { rounded, remainder } = roundToMinor(amount + left, currency);
    left = remainder;
    return { description, amount: rounded };
  });
  return { lines, left };
}

/** A discount never takes more than there is. */
function discountLine(discount: Discount, share: Nano): InvoiceLine {
  const percent = discount.percent === null ? 0n : knownAmount(discount.percent);
  const off =
    divideHalfEven(share * percent, 100n * NANO) +
    (discount.amount === null ? 0n : knownAmount(discount.amount));
  return { description: `Coupon ${discount.coupon}`, amount: -minNano(off, share) };
}

function describe({ description, from, period, zone }: ChargeBasis): string {
  return `${description}, ${localDate(from, zone)} to ${localDate(period.end, zone)}`;
}

/** The local date, with the time of day when it is not midnight. */
function localDate(at: Instant, zone: string): string {
  const local = toLocal(at, zone);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${local.year}-${two(local.month)}-${two(local.day)}`;
  const midnight = local.hour + local.minute + local.second + local.micros === 0;
  return midnight ? date : `${date} ${two(local.hour)}:${two(local.minute)}`;
}
