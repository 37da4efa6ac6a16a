import type { Budget, Plan } from '@tallygate/contracts';
import { bigints } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { capsInForce } from '../domain';
import type { CapsInForce, SubscriptionTerms } from '../domain';
import { sharedInstant, sharedInstantOrNull } from './pg-instants';
import * as sql from './sql/usage';

export interface HistoryRow {
  readonly customer_id: string;
  readonly subscription_id: string;
  readonly version: bigint;
  readonly effective_at: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly anchor: string;
  readonly period_start: string;
  readonly period_end: string;
  readonly in_force: boolean;
  readonly zone: string;
  readonly terms_id: bigint;
  readonly resets:
    readonly { readonly feature: string; readonly at: number; readonly keepAnchor: boolean }[] | null;
  readonly budgets: string | null;
}

const MOST_TERMS = 10_000;

interface KnownPlan {
  readonly plan: Plan;
  /** Of a customer without budgets. */
  readonly caps: CapsInForce;
}

/** Terms of plans are immutable: read once per id in this process, and once more with each text of budgets beside them. */
export class KnownTerms {
  private readonly plans = new Map<bigint, KnownPlan>();
  private readonly budgeted = new Map<string, CapsInForce>();

  async load(tx: Tx, rows: readonly HistoryRow[]): Promise<void> {
    if (this.plans.size > MOST_TERMS) this.plans.clear();
    const missing = new Set<bigint>();
    for (const { terms_id } of rows) if (!this.plans.has(terms_id)) missing.add(terms_id);
    if (missing.size === 0) return;
    const found = await tx.query<{ id: bigint; terms: Plan }>(sql.readTerms, [bigints([...missing])]);
    for (const { id, terms } of found.rows)
      this.plans.set(id, { plan: terms, caps: capsInForce(terms.features, []) });
  }

  of(row: HistoryRow): SubscriptionTerms {
    const known = this.plans.get(row.terms_id);
    if (known === undefined)
      throw new Error(`Subscription ${row.subscription_id} names terms that are not there`);
    const { plan } = known;
    return {
      subscriptionId: row.subscription_id,
      version: Number(row.version),
      effectiveAt: sharedInstant(row.effective_at),
      startedAt: sharedInstant(row.started_at),
      endedAt: sharedInstantOrNull(row.ended_at),
      anchor: sharedInstant(row.anchor),
      periodStart: sharedInstant(row.period_start),
      periodEnd: sharedInstant(row.period_end),
      inForce: row.in_force,
      interval: plan.interval,
      features: plan.features,
      caps: row.budgets === null ? known.caps : this.capsWith(row.budgets, row.terms_id, plan),
      zone: row.zone,
      resets: (row.resets ?? []) as SubscriptionTerms['resets'],
    };
  }

  private capsWith(budgets: string, termsId: bigint, { features }: Plan): CapsInForce {
    const name = `${termsId} ${budgets}`;
    let caps = this.budgeted.get(name);
    if (caps === undefined) {
      if (this.budgeted.size > MOST_TERMS) this.budgeted.clear();
      caps = capsInForce(features, JSON.parse(budgets) as readonly Budget[]);
      this.budgeted.set(name, caps);
    }
    return caps;
  }
}
