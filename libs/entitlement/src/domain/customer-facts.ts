import type {
  BalanceFacts,
  Budget,
  CollectionFacts,
  ConsumerKey,
  CustomerFacts,
  OverrideFacts,
  QuotaFacts,
  SpendFacts,
  SubscriptionFacts,
  SubscriptionStatus,
} from '@tallygate/contracts';
import type { CredentialEntry, CustomerEntry, SpendEntry, SubscriptionEntry } from './entries';

export interface FlagFacts {
  readonly override: OverrideFacts | null;
  readonly underReview: boolean;
  readonly approvals: Readonly<Record<string, 'approved' | 'rejected'>>;
}

/** Everything that other services said about one customer, each the latest of its kind. */
export interface FactsOfCustomer {
  readonly customer: CustomerFacts;
  readonly subscription: SubscriptionFacts | null;
  /** Of the payer, which is the customer itself where it has none. */
  readonly collection: CollectionFacts | null;
  readonly hasMethod: boolean;
  readonly flags: FlagFacts | null;
  readonly balances: readonly BalanceFacts[];
  readonly quotas: readonly QuotaFacts[];
  readonly spend: readonly SpendFacts[];
}

/** One customer's facts as the entry that gates decide on. */
export function customerEntryOf(facts: FactsOfCustomer): CustomerEntry {
  const { customer, subscription, flags } = facts;
  return {
    id: customer.id,
    key: customer.key,
    timezone: customer.timezone,
    subjects: customer.subjects,
    hasMethod: facts.hasMethod,
    underReview: flags?.underReview ?? false,
    override: flags?.override ?? null,
    approvals: flags?.approvals ?? {},
    subscription: subscription === null ? null : subscriptionEntryOf(subscription, facts.collection),
    overdraft: { ...subscription?.terms.overdraft, ...customer.overdraft },
    wallets: Object.fromEntries(facts.balances.map(({ unit, segments }) => [unit, segments])),
    quotas: Object.fromEntries(facts.quotas.map((quota) => [quota.feature, quotaOf(quota)])),
    spend: spendOf(facts),
  };
}

export function credentialEntryOf(customerId: string, key: ConsumerKey): CredentialEntry {
  return { customerId, subject: key.subject, expiresAt: key.expiresAt, revokedAt: key.revokedAt };
}

/** States that say where the payer stands with its invoices: dunning knows them first, billing repeats them. */
const COLLECTED: readonly SubscriptionStatus[] = [
  'active',
  'action_required',
  'grace',
  'warned',
  'suspended',
  'disputed',
];

/**
 * Two services speak about one status. Where both may, dunning's word counts: it comes straight from the payment, and
 * access must return within the second. What follows the final action is billing's.
 */
function statusOf(subscription: SubscriptionFacts, collection: CollectionFacts | null): SubscriptionStatus {
  if (collection === null || collection.state === 'ended') return subscription.status;
  if (!COLLECTED.includes(subscription.status)) return subscription.status;
  return collection.state === 'current' ? 'active' : collection.state;
}

function subscriptionEntryOf(
  subscription: SubscriptionFacts,
  collection: CollectionFacts | null,
): SubscriptionEntry {
  const status = statusOf(subscription, collection);
  const announced = status === 'warned' || status === 'suspended';
  return {
    id: subscription.id,
    plan: subscription.plan,
    planVersion: subscription.planVersion,
    status,
    startedAt: subscription.startedAt,
    periodStart: subscription.periodStart,
    periodEnd: subscription.periodEnd,
    trialEnd: subscription.trialEnd,
    suspendAt: announced ? (collection?.suspendAt ?? subscription.suspendAt) : null,
    cancelAt: subscription.cancelAt,
    endedAt: subscription.endedAt,
    pausedAt: subscription.pausedAt,
    incompleteReason: subscription.incompleteReason,
    opensWith: opensWith(subscription),
    features: subscription.terms.features,
  };
}

/** What its start will ask for: nothing, the first payment, or a method for the trial. */
function opensWith({ terms, trialEnd }: SubscriptionFacts): SubscriptionEntry['opensWith'] {
  if (trialEnd !== null) return terms.trial_requires_method ? 'method' : 'nothing';
  return terms.first_payment === 'gate' && Number(terms.amount) > 0 ? 'payment' : 'nothing';
}

function quotaOf({
  periodStart,
  periodEnd,
  used,
  included,
  limit,
}: QuotaFacts): CustomerEntry['quotas'][string] {
  return { periodStart, periodEnd, used, included, limit };
}

/** What was spent counts while a cap is in force: another plan may have none, and a budget may be removed. */
function spendOf({ customer, subscription, spend }: FactsOfCustomer): CustomerEntry['spend'] {
  const features = Object.entries(subscription?.terms.features ?? {});
  const entries = features.flatMap(([feature, { spend_cap: ofPlan }]) => {
    const own = spend.filter((one) => one.feature === feature);
    const budget = customer.budgets?.find((one) => one.feature === feature);
    const [first, ...also] = [...periodsOf(ofPlan?.per, budget)].flatMap((per) => {
      const capped = own.find((one) => one.per === per) ?? (per === ofPlan?.per && own.find(isOfOldPlan));
      return capped ? [spendEntryOf(capped)] : [];
    });
    if (first === undefined) return [];
    return [[feature, also.length === 0 ? first : { also, ...first }] as const];
  });
  return Object.fromEntries(entries);
}

/** The plan's comes first: a gate that knows of one cap only keeps to that. */
function periodsOf(ofPlan: SpendFacts['per'], budget: Budget | undefined): Set<SpendFacts['per']> {
  const periods = new Set<SpendFacts['per']>();
  if (ofPlan !== undefined) periods.add(ofPlan);
  if (budget !== undefined && budget.day !== null) periods.add('day');
  if (budget !== undefined && budget.month !== null) periods.add('month');
  return periods;
}

/** From when facts did not name their period, since the plan's cap was the only one. */
function isOfOldPlan({ per }: SpendFacts): boolean {
  return per === undefined;
}

function spendEntryOf({ unit, periodEnd, spent, cap }: SpendFacts): SpendEntry {
  return { unit, periodEnd, spent, cap };
}
