import { Injectable } from '@nestjs/common';
import type { Plan, SubscriptionFacts } from '@tallygate/contracts';
import { Ids, invariant, parseAmount, parseInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { issuePeriodLot } from '../domain';
import type { PeriodGrant, Rollover } from '../domain';
import { GrantStore } from './grant-store';
import { WalletPosting } from './wallet-posting';

type PlanGrant = Plan['grants'][number];

/** States in which a new period brings its plan's grants: those in which the plan is served. */
const SERVED: readonly SubscriptionFacts['status'][] = [
  'trialing',
  'active',
  'action_required',
  'grace',
  'warned',
  'free_tier',
];

/** Credit that a plan includes: a lot of its own each period, ending with it. */
@Injectable()
export class PlanGrants {
  constructor(
    private readonly grants: GrantStore,
    private readonly posting: WalletPosting,
    private readonly ids: Ids,
  ) {}

  /** The present period's lots, once per period however often the subscription changes in it. */
  async issue(tx: Tx, tenantId: string, facts: SubscriptionFacts, zone: string, now: Instant): Promise<void> {
    if (!SERVED.includes(facts.status) || facts.endedAt !== null) return;
    for (const [index, grant] of facts.terms.grants.entries()) {
      await this.issueOne(tx, tenantId, facts, grant, index, now);
    }
  }

  private async issueOne(
    tx: Tx,
    tenantId: string,
    facts: SubscriptionFacts,
    planGrant: PlanGrant,
    index: number,
    now: Instant,
  ): Promise<void> {
    const key = { tenantId, customerId: facts.customerId, unit: planGrant.unit };
    const [open] = await this.posting.open(tx, [key], () => now);
    invariant(open, 'A wallet asked for is opened');
    const source = `plan:${facts.id}:${facts.plan}:${index}`;
    const grant = periodGrantOf(facts, planGrant, index, this.ids.next());
    const stored = await this.grants.bySource(tx, tenantId, source);
    const grantId = stored?.id ?? grant.grantId;
    const walletId = open.draft.wallet.id;
    if (stored === null) await this.grants.insert(tx, rowOf(grant, { ...key, walletId, source, now }));
    const lots = await this.grants.lots(tx, grantId);
    if (lots.some((lot) => lot.effectiveAt === grant.effectiveAt)) return;
    // Nothing rolls over into the first lot, so there is no minimum of it either.
    issuePeriodLot(open.draft, { ...grant, grantId, rollover: stored === null ? null : grant.rollover });
    await this.posting.close(tx, [open], 'all');
  }
}

function periodGrantOf(
  facts: SubscriptionFacts,
  planGrant: PlanGrant,
  index: number,
  id: string,
): PeriodGrant {
  return {
    grantId: id,
    grantKey: `plan.${facts.plan}.${index + 1}.${facts.id}`,
    kind: planGrant.kind,
    priority: planGrant.priority,
    features: null,
    amount: amountOf(planGrant.amount),
    effectiveAt: instantOf(facts.periodStart),
    expiresAt: instantOf(facts.periodEnd),
    rollover: rolloverOf(planGrant.rollover),
  };
}

function rowOf(grant: PeriodGrant, of: { tenantId: string; walletId: bigint; source: string; now: Instant }) {
  return {
    ...grant,
    id: grant.grantId,
    tenantId: of.tenantId,
    walletId: of.walletId,
    key: grant.grantKey,
    source: of.source,
    expiresAt: null,
    recurrence: null,
    createdAt: of.now,
  };
}

function rolloverOf(terms: PlanGrant['rollover']): Rollover | null {
  if (terms === undefined) return null;
  return {
    min: terms.min === undefined ? 0n : amountOf(terms.min),
    max: terms.max === undefined ? null : amountOf(terms.max),
  };
}

function amountOf(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, 'An amount of an applied catalog is a decimal');
  return parsed.value;
}

function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, 'A period of billing has instants');
  return parsed.value;
}
