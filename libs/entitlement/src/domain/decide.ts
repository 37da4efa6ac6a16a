import type { DenialReason, PassReason } from '@tallygate/contracts';
import { MICROS, invariant } from '@tallygate/kernel';
import { standingOf } from './account';
import type { Standing } from './account';
import { assess, isLeased } from './assess';
import type { Assessing, Assessment } from './assess';
import type { Circumstances, Decision, DecisionRequest, Violation } from './decision';
import type { FeedState, TenantState } from './feed-state';
import { firstNote, noteFor } from './notes';
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
  const shared: Assessing = { tenant, customer, standing, request, circumstances, needed: null };
  const { features } = request;
  if (features.length === 0) return accountAnswer(shared);
  const first = assess(features[0] as string, shared);
  return features.length === 1 ? answerOne(first, shared) : answerSeveral(first, shared);
}

/** The usual request: one feature, no lists. */
function answerOne(about: Assessment, shared: Assessing): Decision {
  if (about.refusal !== null)
    return refuse(about, shared, [{ feature: about.feature, reason: about.refusal }]);
  if (about.unleased) return unanswerable([about.feature], shared);
  return allow(noteOf(about.note, shared), about, shared);
}

function answerSeveral(first: Assessment, shared: Assessing): Decision {
  const assessments = [first];
  for (let i = 1; i < shared.request.features.length; i += 1) {
    assessments.push(assess(shared.request.features[i] as string, shared));
  }
  unholdUnlessAlone(assessments);
  const violated = violations(assessments);
  if (violated[0] !== undefined) return refuse(aboutOf(violated[0], assessments), shared, violated);
  const unleased = assessments.filter((each) => each.unleased).map((each) => each.feature);
  if (unleased.length > 0) return unanswerable(unleased, shared);
  return allow(noteOf(firstNote(assessments), shared), first, shared);
}

function aboutOf(violation: Violation, assessments: readonly Assessment[]): Assessment {
  const about = assessments.find(
    (each) => each.feature === violation.feature && each.refusal === violation.reason,
  );
  invariant(about !== undefined, 'A violation comes from an assessment');
  return about;
}

function refuse(about: Assessment, shared: Assessing, violated: readonly Violation[]): Decision {
  const { request, circumstances, tenant, customer } = shared;
  invariant(about.refusal !== null, 'Only a refusal is refused');
  return deny(about.refusal, request, circumstances, tenant, customer, about, violated);
}

/** Without a feature the answer is about the account: rows 2 and 3. */
function accountAnswer(shared: Assessing): Decision {
  const { standing, request, circumstances, tenant, customer } = shared;
  const reason = standing.administrative ?? (standing.overridden ? null : standing.money);
  if (reason !== null) return deny(reason, request, circumstances, tenant, customer);
  return allow(noteOf('ok', shared), undefined, shared);
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

function noteOf(own: PassReason, { standing, circumstances }: Assessing): PassReason {
  return noteFor(own, standing, circumstances.feedAgeMicros >= STALE_AFTER_MICROS);
}

/** Older than a minute: neither an allow nor a denial of the copy stands (gate-feed.md, "age of the feed"). */
function decideByFailMode(found: Resolved, request: DecisionRequest, circumstances: Circumstances): Decision {
  const { tenant, customer } = found;
  const shut = request.features.filter((feature) => !failsOpen(tenant, feature, circumstances));
  if (shut.length > 0 || request.features.length === 0) {
    return unanswerable(shut, { ...found, request, circumstances });
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
  const shared: Assessing = { tenant, customer, standing, request, circumstances, needed: null };
  return allow(standing.overridden ? 'override' : 'stale_allow', undefined, shared);
}

function failsOpen(tenant: TenantState, key: string, circumstances: Circumstances): boolean {
  const feature = tenant.catalog?.features.get(key);
  if (feature === undefined) return false;
  if (feature.onOutage === 'lease_only' || feature.noOverspend) return isLeased(key, circumstances);
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
  { request, circumstances, tenant, customer }: Omit<Assessing, 'standing' | 'needed'>,
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
