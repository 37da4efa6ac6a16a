import type { DeclineClass } from '@tallygate/contracts';
import { maxInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Decline } from './decline';
import { nextOutageTry } from './outage';
import type { Policy } from './policy';
import { nextRetry, nextStep } from './schedule';
import type { Cardholder } from './schedule';

/** An invoice as billing last described it. */
export interface Invoice {
  readonly id: string;
  readonly number: number | null;
  readonly customerId: string;
  readonly payerId: string;
  readonly kind: 'subscription' | 'top_up';
  readonly currency: string;
  readonly total: Nano;
  readonly due: Nano;
  readonly anchor: Instant;
  readonly status: 'draft' | 'open' | 'paid' | 'void' | 'refunded' | 'uncollectible';
  readonly policyKey: string | null;
  readonly interval: 'day' | 'week' | 'month' | 'year' | null;
  readonly version: number;
}

/** What collecting an invoice has come to. */
export interface Campaign {
  /** First failure of the present run, or the first instant without a method. */
  readonly failedAt: Instant | null;
  /** Declines in the present run. */
  readonly declines: number;
  /** Steps of the present run that we refused ourselves: used up like tries. */
  readonly refusals: number;
  readonly lastClass: DeclineClass | null;
  /** The next try by the clock; null for none. */
  readonly tryAt: Instant | null;
  /** Since when sending has failed; it stays while an operator's restart is awaited. */
  readonly outageSince: Instant | null;
  readonly outageTries: number;
  readonly methodMissingReported: boolean;
  /** A lost chargeback or a reopened refund: paid by link, never charged automatically. */
  readonly byLinkOnly: boolean;
  /** The final action was taken: still payable by link, never charged automatically. */
  readonly finished: boolean;
  /** The attempt whose capture pays this invoice. */
  readonly capturedBy: string | null;
  readonly disputed: boolean;
}

export const NEW_CAMPAIGN: Campaign = {
  failedAt: null,
  declines: 0,
  refusals: 0,
  lastClass: null,
  tryAt: null,
  outageSince: null,
  outageTries: 0,
  methodMissingReported: false,
  byLinkOnly: false,
  finished: false,
  capturedBy: null,
  disputed: false,
};

export interface CollectedInvoice {
  readonly invoice: Invoice;
  readonly campaign: Campaign;
}

/** Whether money may still be taken for it. A draft is charged only when somebody asks. */
export function isPayable({ invoice, campaign }: CollectedInvoice): boolean {
  return (
    (invoice.status === 'open' || invoice.status === 'draft') &&
    invoice.due > 0n &&
    campaign.capturedBy === null
  );
}

/** Whether it counts as the payer's debt: an open invoice of a plan. Top-ups are never dunned. */
export function isDunned(collected: CollectedInvoice): boolean {
  return (
    isPayable(collected) && collected.invoice.status === 'open' && collected.invoice.kind === 'subscription'
  );
}

/** Whether the clock or a new method may charge it. */
export function isChargedAutomatically(collected: CollectedInvoice): boolean {
  return isDunned(collected) && !collected.campaign.byLinkOnly && !collected.campaign.finished;
}

/** A charge of everything due now: a new invoice, a new method, an operator's restart. */
export function tryNow(collected: CollectedInvoice, now: Instant): Campaign {
  return isChargedAutomatically(collected) ? { ...collected.campaign, tryAt: now } : collected.campaign;
}

export interface DeclinedTry {
  readonly decline: Decline;
  readonly triedAt: Instant;
  /** The payer has another method by now than the one that was declined. */
  readonly methodChanged: boolean;
}

/** A step that is already past when its decline becomes known runs at once, and once. */
export function afterDecline(
  collected: CollectedInvoice,
  { decline, triedAt, methodChanged }: DeclinedTry,
  policy: Policy,
  holder: Cardholder,
  now: Instant,
): Campaign {
  if (!isDunned(collected)) return collected.campaign;
  const failedAt = collected.campaign.failedAt ?? triedAt;
  const declines = collected.campaign.declines + 1;
  const stepsUsed = declines + collected.campaign.refusals;
  const run = { firstFailedAt: failedAt, stepsUsed, interval: collected.invoice.interval };
  const next = methodChanged ? now : nextRetry(decline, triedAt, run, policy, holder);
  const tryAt = next === null || !isChargedAutomatically(collected) ? null : maxInstant(next, now);
  return { ...reached(collected.campaign), failedAt, declines, lastClass: decline.declineClass, tryAt };
}

/** Refused by ourselves: the step is used up, nothing was tried. */
export function afterCap(
  collected: CollectedInvoice,
  policy: Policy,
  holder: Cardholder,
  now: Instant,
): Campaign {
  const { campaign, invoice } = collected;
  if (campaign.failedAt === null || campaign.lastClass === null) return { ...campaign, tryAt: null };
  const refusals = campaign.refusals + 1;
  const run = {
    firstFailedAt: campaign.failedAt,
    stepsUsed: campaign.declines + refusals,
    interval: invoice.interval,
  };
  return { ...campaign, refusals, tryAt: nextStep(campaign.lastClass, now, run, policy, holder) };
}

/** The provider could not be reached: no decline, and no ageing until it can. */
export function afterNotSent(collected: CollectedInvoice, now: Instant): Campaign {
  const { campaign } = collected;
  if (!isDunned(collected)) return campaign;
  const outageTries = campaign.outageTries + 1;
  const tryAt = isChargedAutomatically(collected) ? nextOutageTry(outageTries, now) : null;
  return { ...campaign, outageSince: campaign.outageSince ?? now, outageTries, tryAt };
}

/** No method: the invoice ages as if the first try had failed. */
export function afterMissingMethod(campaign: Campaign, now: Instant): Campaign {
  return { ...campaign, failedAt: campaign.failedAt ?? now, tryAt: null, methodMissingReported: true };
}

/** Something was sent and waits for its outcome. */
export function afterOpen(campaign: Campaign): Campaign {
  return { ...reached(campaign), tryAt: null };
}

export function afterCapture(campaign: Campaign, attemptId: string): Campaign {
  return {
    ...reached(campaign),
    capturedBy: attemptId,
    failedAt: null,
    declines: 0,
    refusals: 0,
    lastClass: null,
    tryAt: null,
  };
}

function reached(campaign: Campaign): Campaign {
  return { ...campaign, outageSince: null, outageTries: 0 };
}
