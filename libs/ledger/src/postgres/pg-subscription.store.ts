import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { SubscriptionFacts } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import { pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { QuotaReset } from '../domain';
import { SubscriptionStore } from '../service/subscription-store';

/** A subscription that waits for its approval is not in force: what is used meanwhile is not rated. */
const NOT_IN_FORCE: readonly SubscriptionFacts['status'][] = ['pending_approval', 'not_started'];

const TERMS = {
  name: 'ledger_plan_terms_id',
  text: `
with made as (
  insert into plan_terms (tenant_id, digest, terms) values ($1::uuid, $2::uuid, $3::jsonb)
  on conflict (tenant_id, digest) do nothing returning id
)
select id from made union all select id from plan_terms where tenant_id = $1::uuid and digest = $2::uuid limit 1`,
};

const APPEND = {
  name: 'ledger_append_subscription',
  text: `
insert into subscription_version (tenant_id, customer_id, subscription_id, version, effective_at, started_at, ended_at,
                                  anchor, period_start, period_end, in_force, zone, terms_id, resets, budgets)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        (select s.resets from subscription_version s where s.tenant_id = $1 and s.customer_id = $2 limit 1),
        (select c.facts->'budgets' from customer_facts c where c.tenant_id = $1 and c.customer_id = $2))
on conflict do nothing`,
};

const TAKE_BUDGETS = {
  name: 'ledger_take_budgets',
  text: `
update subscription_version s set budgets = c.facts->'budgets'
  from customer_facts c
 where c.tenant_id = $1 and c.customer_id = $2 and s.tenant_id = c.tenant_id and s.customer_id = c.customer_id
   and s.budgets is distinct from c.facts->'budgets'`,
};

/** The revision moves, for what rests in memory has the old terms; no balance did, so what was published still was. */
const REFRESH = {
  name: 'ledger_refresh_wallets',
  text: `
update wallet w set overdraft = f.overdraft, lateness = f.lateness,
       revision = w.revision + 1, published_revision = w.published_revision + 1
  from (select x.id,
               coalesce((c.facts->'overdraft'->>x.unit)::numeric,
                        (select (s.facts->'terms'->'overdraft'->>x.unit)::numeric from subscription_facts s
                          where s.tenant_id = x.tenant_id and s.customer_id = x.customer_id and s.ended_at is null
                          order by s.started_at desc limit 1), 0) as overdraft,
               coalesce(t.facts->'settings'->>'lateness', '1h')::interval as lateness
          from wallet x
          left join customer_facts c on c.tenant_id = x.tenant_id and c.customer_id = x.customer_id
          left join tenant_facts t on t.tenant_id = x.tenant_id
         where x.tenant_id = $1::uuid and ($2::uuid is null or x.customer_id = $2::uuid)) f
 where w.id = f.id and (w.overdraft <> f.overdraft or w.lateness <> f.lateness)`,
};

@Injectable()
export class PgSubscriptionStore extends SubscriptionStore {
  override async append(
    tx: Tx,
    tenantId: string,
    facts: SubscriptionFacts,
    effectiveAt: Instant,
    zone: string,
  ): Promise<boolean> {
    const text = JSON.stringify(facts.terms);
    const terms = await tx.query<{ id: bigint }>(TERMS, [
      tenantId,
      hash('sha256', text, 'hex').slice(0, 32),
      text,
    ]);
    const { rowCount } = await tx.query(APPEND, [
      tenantId,
      facts.customerId,
      facts.id,
      facts.version,
      pgInstant(effectiveAt),
      facts.startedAt,
      facts.endedAt,
      facts.anchor,
      facts.periodStart,
      facts.periodEnd,
      !NOT_IN_FORCE.includes(facts.status),
      zone,
      terms.rows[0]?.id,
    ]);
    return rowCount === 1;
  }

  override async addReset(tx: Tx, tenantId: string, customerId: string, reset: QuotaReset): Promise<void> {
    await tx.query(
      `update subscription_version s
          set resets = (select jsonb_agg(r order by (r->>'at')::bigint)
                          from jsonb_array_elements(coalesce(s.resets, '[]') || $3::jsonb) as r)
        where tenant_id = $1 and customer_id = $2`,
      [tenantId, customerId, JSON.stringify([reset])],
    );
  }

  override async moveZone(tx: Tx, tenantId: string, customerId: string, zone: string): Promise<void> {
    await tx.query(
      'update subscription_version set zone = $3 where tenant_id = $1 and customer_id = $2 and zone <> $3',
      [tenantId, customerId, zone],
    );
  }

  override async takeBudgets(tx: Tx, tenantId: string, customerId: string): Promise<boolean> {
    const { rowCount } = await tx.query(TAKE_BUDGETS, [tenantId, customerId]);
    return (rowCount ?? 0) > 0;
  }

  override async refreshWallets(tx: Tx, tenantId: string, customerId: string | null): Promise<void> {
    await tx.query(REFRESH, [tenantId, customerId]);
  }
}
