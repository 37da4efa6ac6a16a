import type { CollectionFacts } from '@tallygate/contracts';
import { addMicros, earliest, maxInstant, minInstant, sumNano } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Policy } from './policy';

export type CollectionState = CollectionFacts['state'];

/** An unpaid subscription invoice, as far as its payer's state depends on it. */
export interface UnpaidInvoice {
  readonly id: string;
  /** First instant of its period: every deadline counts from here. */
  readonly anchor: Instant;
  readonly due: Nano;
  readonly currency: string;
  readonly policy: Policy;
  /** First failure of the present run, or the first instant without a method; null while nothing has failed. */
  readonly failedAt: Instant | null;
  /** Since when an outcome is unknown or the provider cannot be reached: from here on this invoice ages no more. */
  readonly heldSince: Instant | null;
  /** A 3-D Secure step is open. */
  readonly actionOpen: boolean;
  /** The final action has been taken for it. */
  readonly finished: boolean;
}

/** The warning that must reach the customer before a suspension; it is about one anchor. */
export interface Warning {
  readonly anchor: Instant;
  readonly deliveredAt: Instant | null;
  /** No channel can take it: the operator must know, and the state stays what it is. */
  readonly undeliverable: boolean;
}

export interface Collection {
  readonly state: CollectionState;
  readonly anchor: Instant | null;
  /** Null while no warning was delivered. */
  readonly suspendAt: Instant | null;
  /** The policy of the oldest invoice; null while nothing is unpaid. */
  readonly policy: Policy | null;
  /** The warning for this anchor is due and was not delivered yet. */
  readonly warningDue: boolean;
  /** The end is reached: the final action follows, once. */
  readonly finished: boolean;
  readonly invoiceIds: readonly string[];
  /** The next instant at which this changes by itself. */
  readonly changesAt: Instant | null;
}

const CURRENT: Collection = {
  state: 'current',
  anchor: null,
  suspendAt: null,
  policy: null,
  warningDue: false,
  finished: false,
  invoiceIds: [],
  changesAt: null,
};

const SEVERITY: Readonly<Record<CollectionState, number>> = {
  current: 0,
  action_required: 1,
  grace: 2,
  warned: 3,
  suspended: 4,
  ended: 5,
  disputed: 6,
};

/**
 * Where a payer stands: a function of its unpaid invoices, what it was told, and the instant. Every deadline is the
 * oldest unpaid invoice's anchor plus a threshold, never "now plus an interval"; nobody is suspended before the warning
 * about that anchor was delivered and its notice has passed.
 */
export function collectionState(
  invoices: readonly UnpaidInvoice[],
  warnings: readonly Warning[],
  disputed: boolean,
  now: Instant,
): Collection {
  const counted = invoices.filter(counts);
  const free = counted.filter((invoice) => invoice.heldSince === null);
  const held = counted.flatMap((invoice) => invoice.heldSince ?? []);
  const running = byAge(free, warnings, now);
  const [firstHeld, ...otherHeld] = held;
  // A held invoice keeps what it had reached, and reaches nothing more, while the others go on ageing.
  const frozen =
    firstHeld === undefined
      ? CURRENT
      : {
          ...byAge(counted, warnings, minInstant(now, firstHeld, ...otherHeld)),
          changesAt: null,
          warningDue: false,
        };
  const worst =
    SEVERITY[frozen.state] > SEVERITY[running.state] ? { ...frozen, changesAt: running.changesAt } : running;
  const open = invoices.some((invoice) => invoice.actionOpen && !invoice.finished);
  const state = disputed ? 'disputed' : worst.state === 'current' && open ? 'action_required' : worst.state;
  return { ...worst, state, invoiceIds: counted.map((invoice) => invoice.id).sort() };
}

/** After the final action an invoice anchors nothing, unless that action was to leave things as they are. */
function counts({ due, failedAt, finished, policy }: UnpaidInvoice): boolean {
  return due > 0n && failedAt !== null && (!finished || policy.finalAction === 'none');
}

function byAge(invoices: readonly UnpaidInvoice[], warnings: readonly Warning[], now: Instant): Collection {
  const oldest = oldestOf(invoices);
  if (oldest === null) return CURRENT;
  const { anchor, policy } = oldest;
  const grace: Collection = { ...CURRENT, state: 'grace', anchor, policy };
  if (belowMinimum(invoices, policy)) return grace;
  const warnAt = addMicros(anchor, policy.warn);
  if (now < warnAt) return { ...grace, changesAt: warnAt };
  const delivered = warnings.find((warning) => warning.anchor === anchor)?.deliveredAt ?? null;
  if (delivered === null || delivered > now) return { ...grace, warningDue: true };
  return afterWarning(grace, policy, anchor, delivered, now);
}

function afterWarning(
  grace: Collection,
  policy: Policy,
  anchor: Instant,
  delivered: Instant,
  now: Instant,
): Collection {
  const suspendAt = suspensionOf(policy, anchor, delivered);
  const endAt = maxInstant(addMicros(anchor, policy.end), suspendAt);
  if (now < suspendAt) return { ...grace, state: 'warned', suspendAt, changesAt: suspendAt };
  if (now < endAt) return { ...grace, state: 'suspended', suspendAt, changesAt: endAt };
  return {
    ...grace,
    state: policy.finalAction === 'none' ? 'suspended' : 'ended',
    suspendAt,
    finished: true,
  };
}

/** The later of the age and the notice: a warning that was late makes the suspension late. */
export function suspensionOf(policy: Policy, anchor: Instant, deliveredAt: Instant): Instant {
  return maxInstant(addMicros(anchor, policy.suspend), addMicros(deliveredAt, policy.minNotice));
}

function oldestOf(invoices: readonly UnpaidInvoice[]): UnpaidInvoice | null {
  const anchor = earliest(...invoices.map((invoice) => invoice.anchor));
  const oldest = invoices.filter((invoice) => invoice.anchor === anchor);
  // Invoices of one instant may differ in policy: the id decides, so that the order they come in does not.
  return oldest.reduce<UnpaidInvoice | null>(
    (first, invoice) => (first === null || invoice.id < first.id ? invoice : first),
    null,
  );
}

/** A currency without a minimum has reached it. */
function belowMinimum(invoices: readonly UnpaidInvoice[], policy: Policy): boolean {
  const currencies = [...new Set(invoices.map((invoice) => invoice.currency))];
  return currencies.every((currency) => {
    const sum = sumNano(
      invoices.filter((invoice) => invoice.currency === currency).map((invoice) => invoice.due),
    );
    return sum < (policy.minAmount[currency] ?? 0n);
  });
}
