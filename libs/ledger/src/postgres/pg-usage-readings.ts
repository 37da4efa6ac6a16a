import { Injectable } from '@nestjs/common';
import type { Meter } from '@tallygate/contracts';
import { formatAmount } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { UsageReadings } from '../service/usage-readings';
import type { UsageAnswer, UsageQuestion } from '../service/usage-readings';
import { instants, texts } from './arrays';
import { AGGREGATES } from './sql/aggregate';
import { amountFromPg } from './wallet-rows';

function textFor(aggregation: Meter['aggregation']): { name: string; text: string } {
  return {
    name: `ledger_usage_${aggregation}`,
    text: `
select width_bucket(occurred_at, $4::timestamptz[]) - 1 as place,
       (select jsonb_object_agg(k, grp->>k) from unnest($5::text[]) as k) as grouping,
       (${AGGREGATES[aggregation]})::numeric(38,9) as value
  from usage_event
 where tenant_id = $1::uuid and customer_id = $2::uuid and meter = $3
   and occurred_at >= $6::timestamptz and occurred_at < $7::timestamptz
 group by 1, 2 order by 1, 2`,
  };
}

@Injectable()
export class PgUsageReadings extends UsageReadings {
  override async ask(tx: Tx, question: UsageQuestion): Promise<readonly UsageAnswer[]> {
    const { rows } = await tx.query<{
      place: number;
      grouping: Record<string, string | null> | null;
      value: string | null;
    }>(textFor(question.aggregation), [
      question.tenantId,
      question.customerId,
      question.meter,
      instants(question.bounds),
      texts(question.groupBy),
      pgInstant(question.from),
      pgInstant(question.to),
    ]);
    return rows.map((row) => ({
      window: row.place,
      group: row.grouping ?? {},
      value: row.value === null ? null : formatAmount(amountFromPg(row.value)),
    }));
  }

  override async span(tx: Tx, question: Pick<UsageQuestion, 'tenantId' | 'customerId' | 'meter'>) {
    const { rows } = await tx.query<{ first: string | null; last: string | null }>(
      `select min(occurred_at) as first, max(occurred_at) as last from usage_event
        where tenant_id = $1::uuid and customer_id = $2::uuid and meter = $3`,
      [question.tenantId, question.customerId, question.meter],
    );
    const row = rows[0];
    if (row === undefined || row.first === null || row.last === null) return null;
    return { first: instantFromPg(row.first), last: instantFromPg(row.last) };
  }
}
