import type { DenialReason, PassReason } from '@tallygate/contracts';
import { NANO } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Standing } from './account';
import { availableTo, creditVerdict, segmentAt } from './credit';
import type { Circumstances, DecisionRequest, LimitVerdict, Money } from './decision';
import type { TenantState } from './feed-state';
import { priceOf } from './price';
import type { CustomerState, FeatureState, PlanFeatureState, QuotaState, SpendState } from './state';

/** What one feature of a request comes to. */
export interface Assessment {
  readonly feature: string;
  refusal: DenialReason | null;
  /** The credit reason that `credit_held` stands for, should something else refuse the request anyway. */
  insteadOfHeld: DenialReason | null;
  note: PassReason;
  price: Money | null;
  balance: Money | null;
  quota: { readonly used: Nano; readonly included: Nano } | null;
  resetAt: Instant | null;
  limit: LimitVerdict | null;
  value: unknown;
  unknownFeature: boolean;
  /** Passes only on a lease, and has none. */
  unleased: boolean;
}

/** What the features of one request share while they are assessed in its order. */
export interface Assessing {
  readonly tenant: TenantState;
  readonly customer: CustomerState;
  readonly standing: Standing;
  readonly request: DecisionRequest;
  readonly circumstances: Circumstances;
  /** By unit: what features named before need; null while nothing is. */
  needed: Map<string, Nano> | null;
}

/** The ladder of semantics §7, rows 2 to 6, for one feature: the first rung that refuses is the answer. */
export function assess(key: string, shared: Assessing): Assessment {
  const { standing, customer, tenant } = shared;
  const feature = tenant.catalog?.features.get(key);
  const plan = standing.status === 'canceled' ? undefined : customer.subscription?.features.get(key);
  const result = blank(key, feature);
  result.refusal = administrative(feature, plan, shared, key);
  if (result.refusal !== null || feature === undefined) return result;
  if (!standing.overridden) {
    result.refusal = standing.money ?? (isOn(feature, plan) ? null : 'upgrade_required');
    if (result.refusal !== null) return result;
    spendLadder(feature, plan, shared, result);
  }
  if (shared.circumstances.limits !== undefined) applyLimit(shared.circumstances.limits.get(key), result);
  if (feature.noOverspend && !standing.overridden) result.unleased = !isLeased(key, shared.circumstances);
  if (feature.kind === 'static') result.value = plan?.value;
  return result;
}

function blank(feature: string, known: FeatureState | undefined): Assessment {
  return {
    feature,
    refusal: null,
    insteadOfHeld: null,
    note: 'ok',
    price: null,
    balance: null,
    quota: null,
    resetAt: null,
    limit: null,
    value: undefined,
    unknownFeature: known === undefined,
    unleased: false,
  };
}

export function isLeased(feature: string, { leases }: Circumstances): boolean {
  return leases === 'not_required' || leases?.has(feature) === true;
}

function administrative(
  feature: FeatureState | undefined,
  plan: PlanFeatureState | undefined,
  { standing, customer }: Assessing,
  key: string,
): DenialReason | null {
  const approval = customer.approvals.get(key);
  const awaits = feature?.requiresApproval === true && plan !== undefined && approval === undefined;
  if (awaits || standing.administrative === 'approval_pending') return 'approval_pending';
  if (standing.administrative !== null) return standing.administrative;
  const offered = feature !== undefined && (feature.sold || plan !== undefined);
  if (!offered || feature.forbidden || approval === 'rejected') return 'feature_forbidden';
  return null;
}

/** A boolean feature named with nothing is on; one whose value is false is not in the plan. */
function isOn(feature: FeatureState, plan: PlanFeatureState | undefined): boolean {
  return plan !== undefined && !(feature.kind === 'boolean' && plan.value === false);
}

/** Rows 5 and the credit part of row 6: quota, spend cap, price limit, credit. */
function spendLadder(
  feature: FeatureState,
  plan: PlanFeatureState | undefined,
  shared: Assessing,
  result: Assessment,
): void {
  const paid = unitsToPay(feature, plan, shared, result);
  if (result.refusal !== null || paid === 0n) return;
  const price = feature.price === null ? null : priceFor(feature, plan, paid, shared);
  result.price = price;
  const cap = spendRefusal(feature, price, shared, result);
  result.refusal = cap ?? limitRefusal(price, shared);
  if (result.refusal === null) applyCredit(feature, price, shared, result);
  if (price !== null && shared.request.features.length > 1) addNeed(price, shared);
}

/** Later features of the same request find this much less in the wallet. */
function addNeed({ unit, amount }: Money, shared: Assessing): void {
  shared.needed ??= new Map();
  shared.needed.set(unit, (shared.needed.get(unit) ?? 0n) + amount);
}

/** Included units first; the rest is paid for. Features without a quota pay for all, those without a price for none. */
function unitsToPay(
  feature: FeatureState,
  plan: PlanFeatureState | undefined,
  shared: Assessing,
  result: Assessment,
): Nano {
  const { units } = shared.request;
  if (feature.kind === 'prepaid') return units;
  if (feature.kind !== 'quota' && feature.kind !== 'quota_then_prepaid') return 0n;
  const { now } = shared.circumstances;
  const known = shared.customer.quotas.get(feature.key);
  const used = usedAt(known, now);
  const included = plan?.included ?? 0n;
  result.quota = { used, included };
  result.resetAt = nextReset(known, shared.customer, plan, now);
  const left = included > used ? included - used : 0n;
  if (atQuotaWarning(feature, used, included)) result.note = 'quota_warning';
  if (units <= left) return 0n;
  if (feature.kind === 'quota_then_prepaid') return units - left;
  if (plan?.limit === 'soft') result.note = 'quota_warning';
  else result.refusal = shared.standing.status === 'free_tier' ? 'upgrade_required' : 'quota_exceeded';
  return 0n;
}

/** What a customer's quota of a feature stands at, whatever else refuses it; null for a feature without one. */
export function quotaAt(
  feature: FeatureState,
  customer: CustomerState,
  now: Instant,
): { readonly used: Nano; readonly included: Nano; readonly resetAt: Instant | null } | null {
  if (feature.kind !== 'quota' && feature.kind !== 'quota_then_prepaid') return null;
  const known = customer.quotas.get(feature.key);
  const plan = customer.subscription?.features.get(feature.key);
  return {
    used: usedAt(known, now),
    included: plan?.included ?? 0n,
    resetAt: nextReset(known, customer, plan, now),
  };
}

/** A period that has ended counts nothing of the new one yet. */
function usedAt(quota: QuotaState | undefined, now: Instant): Nano {
  if (quota === undefined) return 0n;
  return quota.periodEnd !== null && quota.periodEnd <= now ? 0n : quota.used;
}

function nextReset(
  quota: QuotaState | undefined,
  customer: CustomerState,
  plan: PlanFeatureState | undefined,
  now: Instant,
): Instant | null {
  if (quota !== undefined && quota.periodEnd !== null && quota.periodEnd > now) return quota.periodEnd;
  if (plan?.reset !== 'period' || customer.subscription === null) return null;
  return customer.subscription.periodEnd > now ? customer.subscription.periodEnd : null;
}

/** Reached counts as crossed: 80 % means at least 80 %. */
function atQuotaWarning(feature: FeatureState, used: Nano, included: Nano): boolean {
  if (included === 0n) return false;
  const { quotaWarning } = feature;
  if (quotaWarning.kind === 'amount') return used >= quotaWarning.amount;
  return used * NANO >= included * quotaWarning.share;
}

function priceFor(
  feature: FeatureState,
  plan: PlanFeatureState | undefined,
  paid: Nano,
  shared: Assessing,
): Money | null {
  const histories = shared.tenant.catalog?.prices.get(feature.price ?? '');
  if (histories === undefined) return null;
  const { now } = shared.circumstances;
  return priceOf(histories, paid, now, runningTotal(feature, plan, shared), shared.request.groups);
}

/** Tiers run over the units paid for in the customer's period; known only where the feature counts by that period. */
function runningTotal(
  feature: FeatureState,
  plan: PlanFeatureState | undefined,
  { customer, circumstances }: Assessing,
): Nano | null {
  const quota = customer.quotas.get(feature.key);
  if (quota === undefined || plan === undefined || plan.reset !== 'period') return null;
  const used = usedAt(quota, circumstances.now);
  return used > plan.included ? used - plan.included : 0n;
}

/** Waiting helps when the last of the caps that are reached begins anew. */
function spendRefusal(
  feature: FeatureState,
  price: Money | null,
  { customer, circumstances }: Assessing,
  result: Assessment,
): DenialReason | null {
  const first = customer.spend.get(feature.key);
  if (first === undefined || price === null) return null;
  let refusal: DenialReason | null = null;
  for (let spend: SpendState | null = first; spend !== null; spend = spend.next) {
    if (!isReached(spend, price, circumstances.now)) continue;
    const resetAt = nextPeriod(spend, circumstances.now);
    if (refusal === null || laterThan(resetAt, result.resetAt)) result.resetAt = resetAt;
    refusal = 'spend_cap_reached';
  }
  return refusal;
}

function isReached(spend: SpendState, { unit, amount }: Money, now: Instant): boolean {
  if (spend.unit !== unit) return false;
  const over = spend.periodEnd !== null && spend.periodEnd <= now;
  return (over ? 0n : spend.spent) + amount > spend.cap;
}

function nextPeriod({ periodEnd }: SpendState, now: Instant): Instant | null {
  return periodEnd !== null && periodEnd > now ? periodEnd : null;
}

function laterThan(a: Instant | null, b: Instant | null): boolean {
  return a !== null && (b === null || a > b);
}

function limitRefusal(price: Money | null, { request, needed }: Assessing): DenialReason | null {
  if (request.maxPrice === null || price === null) return null;
  const total = (needed?.get(price.unit) ?? 0n) + price.amount;
  return total > request.maxPrice ? 'price_above_limit' : null;
}

/** A price that no row gives is not free: any credit at all must be there, and the usage is parked until a row comes. */
const LEAST = 1n;

function applyCredit(
  feature: FeatureState,
  price: Money | null,
  { customer, tenant, circumstances, needed }: Assessing,
  result: Assessment,
): void {
  const unit = price?.unit ?? unitOf(feature, tenant);
  const wallet = unit === null ? undefined : customer.wallets.get(unit);
  const segment = wallet === undefined ? undefined : segmentAt(wallet, circumstances.now);
  const available = segment === undefined ? 0n : availableTo(segment, feature.key);
  if (unit !== null) result.balance = { amount: available, unit };
  const verdict = creditVerdict(segment, {
    feature: feature.key,
    need: price?.amount ?? LEAST,
    before: needed?.get(unit ?? '') ?? 0n,
    overdraft: customer.overdraft.get(unit ?? '') ?? 0n,
  });
  if (verdict.kind === 'short') {
    result.refusal = verdict.held ? 'credit_held' : verdict.reason;
    result.insteadOfHeld = verdict.held ? verdict.reason : null;
  } else if (verdict.kind === 'overdraft') {
    result.note = 'overdraft';
  } else if (result.note === 'ok' && isLow(tenant, unit, available)) {
    result.note = 'low_balance';
  }
}

function unitOf(feature: FeatureState, tenant: TenantState): string | null {
  return tenant.catalog?.prices.get(feature.price ?? '')?.[0]?.[0]?.unit ?? null;
}

/** A balance of exactly the amount counts as low. */
function isLow(tenant: TenantState, unit: string | null, available: Nano): boolean {
  const thresholds = tenant.catalog?.lowBalance;
  const threshold = thresholds?.get(unit ?? '') ?? thresholds?.get('*');
  return threshold !== undefined && available <= threshold;
}

/** Row 6: a limit of time refuses what money would let pass, and comes before open holds. */
function applyLimit(limit: LimitVerdict | undefined, result: Assessment): void {
  if (limit === undefined || limit.verdict === 'ok') return;
  if (result.refusal !== null && result.refusal !== 'credit_held') return;
  result.refusal = limit.verdict;
  result.insteadOfHeld = null;
  result.limit = limit;
  result.resetAt = limit.verdict === 'rate_limited' ? limit.resetAt : null;
}
