import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Decision, Money } from './decision';
import { detailOf, titleOf, unitsText } from './describe';
import { actionUrl, linksOf, typeOf } from './links';
import { rateLimitHeaders } from './rate-limit-headers';

/** What an answer carries beside the decision itself. */
export interface AnswerContext {
  /** Names this answer in the decision log. */
  readonly decisionId: string;
  /** Position of the state decided on, `epoch:seq`; null when there was none. */
  readonly snapshotRevision: string | null;
  /** As of when the state was true. */
  readonly asOf: Instant;
  readonly now: Instant;
  /** The path of the refused request, where the gateway says it. */
  readonly instance?: string;
  /** The charge that failed, where one did. */
  readonly chargeId?: string;
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A denial as RFC 9457 problem details with every header of semantics §7 "On the wire". */
export function renderProblem(decision: Decision, context: AnswerContext): ProblemAnswer {
  return {
    status: decision.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...passHeaders(decision, context),
      ...denialHeaders(decision, context),
    },
    body: problemBody(decision, context),
  };
}

/** What a passing request is given on its way; also part of every denial. */
export function passHeaders(decision: Decision, { decisionId }: AnswerContext): Record<string, string> {
  const headers: Record<string, string> = {
    'Billing-Gate-Reason': decision.reason,
    'Billing-Gate-Decision': decisionId,
  };
  if (decision.suspendAt !== null) headers['Billing-Gate-Suspend-At'] = formatInstant(decision.suspendAt);
  return headers;
}

function denialHeaders(decision: Decision, { now }: AnswerContext): Record<string, string> {
  const headers: Record<string, string> = {};
  const link = linkHeader(decision);
  if (link !== '') headers['Link'] = link;
  if (decision.status === 402) headers['X-Payment-Required-Reason'] = decision.reason;
  if (decision.retryAfter !== null) headers['Retry-After'] = String(decision.retryAfter);
  if (decision.status === 429) Object.assign(headers, rateLimitHeaders(decision, now));
  return headers;
}

/** rel="payment" is the page that lifts a 402; rel="help" the reason's page. */
function linkHeader(decision: Decision): string {
  const links: string[] = [];
  const payment = decision.status === 402 ? (actionUrl(decision) ?? linksOf(decision).portal) : null;
  if (payment !== null) links.push(`<${payment}>; rel="payment"`);
  const { docs } = linksOf(decision);
  if (docs !== null) links.push(`<${docs}>; rel="help"`);
  return links.join(', ');
}

/** Keys whose value is not known, or not disclosed, are left out. */
function problemBody(decision: Decision, context: AnswerContext): Record<string, unknown> {
  const body: Record<string, unknown> = {
    type: typeOf(decision),
    title: titleOf(decision.reason),
    status: decision.status,
    detail: detailOf(decision),
    instance: context.instance,
    code: decision.reason.toUpperCase(),
    billing_gate_reason: decision.reason,
    action: decision.action,
    action_url: actionUrl(decision),
    links: present({ ...linksOf(decision) }),
    feature: decision.feature,
    required: decision.feature === null ? null : unitsText(decision),
    ...disclosedMoney(decision),
    reset_at: decision.resetAt === null ? null : formatInstant(decision.resetAt),
    charge_id: context.chargeId,
    violated: decision.violated,
    retryable: decision.retryable,
    decision_id: context.decisionId,
    snapshot_revision: context.snapshotRevision,
    as_of: formatInstant(context.asOf),
  };
  return present(body);
}

/** Price of this request and credit available, each as far as the tenant discloses it. */
export function disclosedMoney(decision: Decision): Record<string, string> {
  const settings = decision.tenant?.terms?.settings;
  const price = settings?.disclosePrice === false ? null : decision.price;
  const balance = settings?.discloseBalance === true ? decision.balance : null;
  const unit = price?.unit ?? balance?.unit;
  return {
    ...(price === null ? {} : { price: text(price) }),
    ...(balance === null ? {} : { balance: text(balance) }),
    ...(unit === undefined ? {} : { unit }),
  };
}

function text({ amount }: Money): string {
  return formatAmount(amount);
}

function present(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== null && value !== undefined),
  );
}
