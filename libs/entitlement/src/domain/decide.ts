import type { DenialReason, PassReason } from '@tallygate/contracts';
import { MICROS } from '@tallygate/kernel';
import { standingOf } from './account';
import type { Standing } from './account';
import { assess } from './assess';
import type { Assessing, Assessment } from './assess';
import type { Circumstances, Decision, DecisionRequest, Violation } from './decision';
import type { FeedState, TenantState } from './feed-state';
import { notesFirst } from './notes';
import { actionOf, rankOf, statusOf } from './reasons';
import { resolveIdentity } from './resolve';
import type { Resolved } from './resolve';
import { retryAfterSeconds } from './retry';
import type { CustomerState } from './state';

/** From this age on an allow is marked `stale_allow`. */
export const STALE_AFTER_MICROS = 5 * MICROS.second;
/** Beyond this age the copy no longer decides: each feature's own fail mode does. */
export const EXPIRED_AFTER_MICROS = 60 * MICROS.second;

/**
 * Whether a request may pass, and if not, why, by semantics §7. Pure: the same state, request and circumstances give the
 * same answer in the service, at the gate, in explain and in the auditor. `state` null: nothing is known at all.
 */
export function decide(
  state: FeedState | null,
  request: DecisionRequest,
  circumstances: Circumstances,
): Decision {
  if (request.identity.kind === 'none') {
    return deny('credential_missing', request, circumstances, tenantOf(state, request), null);
  }
  if (state === null) return deny('entitlement_unavailable', request, circumstances, null, null);
  const found = resolveIdentity(state, request, circumstances);
  if (found.kind === 'refused') {
    return deny(found.reason, request, circumstances, found.tenant, found.customer);
  }
  return circumstances.feedAgeMicros > EXPIRED_AFTER_MICROS
    ? decideByFailMode(found, request, circumstances)
    : decideByState(found, request, circumstances);
}

function tenantOf(state: FeedState | null, { tenantId }: DecisionRequest): TenantState | null {
  return (tenantId === null ? state?.soleTenant() : state?.tenant(tenantId)) ?? null;
}

function decideByState(found: Resolved, request: DecisionRequest, circumstances: Circumstances): Decision {
  const { tenant, customer } = found;
  const standing = standingOf(customer, circumstances.now);
  const shared: Assessing = { tenant, customer, standing, request, circumstances, needed: new Map() };
  if (request.features.length === 0) return accountAnswer(shared);
  const assessments: Assessment[] = [];
  for (const feature of request.features) assessments.push(assess(feature, shared));
  unholdUnlessAlone(assessments);
  const violated = violations(assessments);
  const first = violated[0];
  if (first === undefined) return pass(assessments, shared);
  const about = assessments.find((each) => each.feature === first.feature && each.refusal === first.reason);
  return deny(first.reason, request, circumstances, tenant, customer, about, violated);
}

/** Without a feature the answer is about the account: rows 2 and 3. */
function accountAnswer(shared: Assessing): Decision {
  const { standing, request, circumstances, tenant, customer } = shared;
  const reason = standing.administrative ?? (standing.overridden ? null : standing.money);
  if (reason !== null) return deny(reason, request, circumstances, tenant, customer);
  return pass([], shared);
}

/**
 * `credit_held` says that the request would pass if every open hold were released. Where money refuses another feature
 * of the same request that is not so, and the credit reason itself applies.
 */
function unholdUnlessAlone(assessments: readonly Assessment[]): void {
  const held = (each: Assessment): boolean => each.refusal === 'credit_held';
  const lastResort = rankOf('credit_exhausted');
  const refusedByMoney = assessments.some(
    (each) => each.refusal !== null && !held(each) && rankOf(each.refusal) <= lastResort,
  );
  if (!refusedByMoney) return;
  for (const each of assessments) if (held(each)) each.refusal = each.insteadOfHeld;
}

/** By reason in the order of the vocabulary, then in the order of the request (a stable sort keeps it). */
function violations(assessments: readonly Assessment[]): readonly Violation[] {
  const list: Violation[] = [];
  for (const { feature, refusal } of assessments) {
    if (refusal !== null) list.push({ feature, reason: refusal });
  }
  return list.length < 2 ? list : list.sort((a, b) => rankOf(a.reason) - rankOf(b.reason));
}

function pass(assessments: readonly Assessment[], shared: Assessing): Decision {
  const { request, circumstances, standing, tenant, customer } = shared;
  const unleased = standing.overridden ? undefined : firstWithoutLease(tenant, request, circumstances);
  if (unleased !== undefined) {
    return unanswerable([unleased], request, circumstances, { tenant, customer });
  }
  const stale = circumstances.feedAgeMicros >= STALE_AFTER_MICROS;
  return allow(notesFirst(assessments, standing, stale), assessments[0], shared);
}

/** A feature that demands no overspend passes on a lease only, also while the feed is up. */
function firstWithoutLease(
  tenant: TenantState,
  request: DecisionRequest,
  { leases }: Circumstances,
): string | undefined {
  if (leases === 'not_required') return undefined;
  return request.features.find(
    (feature) => tenant.catalog?.features.get(feature)?.noOverspend === true && !leases?.has(feature),
  );
}

/** Older than a minute: neither an allow nor a denial of the copy stands (gate-feed.md, "age of the feed"). */
function decideByFailMode(found: Resolved, request: DecisionRequest, circumstances: Circumstances): Decision {
  const { tenant, customer } = found;
  const shut = request.features.filter((feature) => !failsOpen(tenant, feature, circumstances));
  if (shut.length > 0 || request.features.length === 0) {
    return unanswerable(shut, request, circumstances, found);
  }
  const violated = limitViolations(request, circumstances);
  const first = violated[0];
  if (first !== undefined) {
    return deny(
      first.reason,
      request,
      circumstances,
      tenant,
      customer,
      limited(first, circumstances),
      violated,
    );
  }
  const standing = standingOf(customer, circumstances.now);
  const shared: Assessing = { tenant, customer, standing, request, circumstances, needed: new Map() };
  return allow(standing.overridden ? 'override' : 'stale_allow', undefined, shared);
}

function failsOpen(tenant: TenantState, key: string, { leases }: Circumstances): boolean {
  const feature = tenant.catalog?.features.get(key);
  if (feature === undefined) return false;
  const leased = leases === 'not_required' || leases?.has(key) === true;
  if (feature.onOutage === 'lease_only' || feature.noOverspend) return leased;
  return feature.onOutage === 'open';
}

/** The limiter is the gate's own and knows no staleness. */
function limitViolations(request: DecisionRequest, { limits }: Circumstances): readonly Violation[] {
  const list: Violation[] = [];
  for (const feature of request.features) {
    const verdict = limits?.get(feature)?.verdict;
    if (verdict !== undefined && verdict !== 'ok') list.push({ feature, reason: verdict });
  }
  return list.sort((a, b) => rankOf(a.reason) - rankOf(b.reason));
}

function limited(violation: Violation, { limits }: Circumstances): Partial<Assessment> {
  const limit = limits?.get(violation.feature) ?? null;
  return {
    feature: violation.feature,
    limit,
    resetAt: limit?.verdict === 'rate_limited' ? limit.resetAt : null,
  };
}

function unanswerable(
  features: readonly string[],
  request: DecisionRequest,
  circumstances: Circumstances,
  { tenant, customer }: Pick<Resolved, 'tenant' | 'customer'>,
): Decision {
  const reason = 'entitlement_stale' as const;
  const violated = features.map((feature) => ({ feature, reason }));
  const about = features[0] === undefined ? undefined : { feature: features[0] };
  return deny(reason, request, circumstances, tenant, customer, about, violated);
}

function allow(reason: PassReason, about: Assessment | undefined, shared: Assessing): Decision {
  const { request, tenant, customer, standing } = shared;
  return {
    allow: true,
    status: 200,
    reason,
    action: null,
    retryable: false,
    retryAfter: null,
    feature: request.features[0] ?? null,
    required: request.units,
    price: about?.price ?? null,
    balance: about?.balance ?? null,
    quota: about?.quota ?? null,
    resetAt: about?.resetAt ?? null,
    suspendAt: suspensionOf(customer, standing),
    limit: null,
    value: about?.value,
    violated: NONE,
    unknownFeature: false,
    tenant,
    customer,
  };
}

function suspensionOf(customer: CustomerState, { status }: Standing): Decision['suspendAt'] {
  return status === 'warned' ? (customer.subscription?.suspendAt ?? null) : null;
}

const NONE: readonly Violation[] = [];

function deny(
  reason: DenialReason,
  request: DecisionRequest,
  circumstances: Circumstances,
  tenant: TenantState | null,
  customer: CustomerState | null,
  about?: Partial<Assessment>,
  violated: readonly Violation[] = request.features.map((feature) => ({ feature, reason })),
): Decision {
  const status = statusOf(reason, tenant?.terms?.settings.statuses);
  const resetAt = about?.resetAt ?? null;
  const retryable = status === 429 || status === 503;
  return {
    allow: false,
    status,
    reason,
    action: actionOf(reason, status),
    retryable,
    retryAfter: retryable ? retryAfterSeconds(reason, resetAt, circumstances.now) : null,
    feature: about?.feature ?? request.features[0] ?? null,
    required: request.units,
    price: about?.price ?? null,
    balance: about?.balance ?? null,
    quota: about?.quota ?? null,
    resetAt,
    suspendAt: null,
    limit: about?.limit ?? null,
    value: undefined,
    violated,
    unknownFeature: about?.unknownFeature ?? false,
    tenant,
    customer,
  };
}
