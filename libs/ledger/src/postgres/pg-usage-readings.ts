import { Injectable } from '@nestjs/common';
import { formatAmount } from '@tallygate/kernel';
import { instantFromPg, instants, pgInstant, texts } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { bucketSpan, valueOfParts } from '../domain';
import type { AdditiveAggregation } from '../domain';
import { UsageReadings } from '../service/usage-readings';
import type { UsageAnswer, UsageQuestion } from '../service/usage-readings';
import { readFirst, readFromEvents, readParts } from './sql/usage-reading';
import { amountFromPg } from './wallet-rows';

type Grouping = Record<string, string | null> | null;

interface PartsRow {
  readonly place: number;
  readonly grouping: Grouping;
  readonly events: bigint;
  /** Null: no quantities. */
  readonly total: string | null;
  readonly lowest: string | null;
  readonly highest: string | null;
}

interface ValueRow {
  readonly place: number;
  readonly grouping: Grouping;
  readonly value: string | bigint | null;
}

@Injectable()
export class PgUsageReadings extends UsageReadings {
  override ask(tx: Tx, question: UsageQuestion): Promise<readonly UsageAnswer[]> {
    const { aggregation } = question;
    return aggregation === 'latest' || aggregation === 'unique_count'
      ? this.fromEvents(tx, question, aggregation)
      : this.fromParts(tx, question, aggregation);
  }

  override async first(tx: Tx, question: Pick<UsageQuestion, 'tenantId' | 'customerId' | 'meter'>) {
    const { tenantId, customerId, meter } = question;
    const { rows } = await tx.query<{ first: string | null }>(readFirst, [tenantId, customerId, meter]);
    const first = rows[0]?.first ?? null;
    return first === null ? null : instantFromPg(first);
  }

  private async fromParts(
    tx: Tx,
    question: UsageQuestion,
    aggregation: AdditiveAggregation,
  ): Promise<readonly UsageAnswer[]> {
    const { from, to, bounds, filter } = question;
    const whole = bucketSpan(from, to, bounds);
    const values = [...shared(question), pgInstant(whole.from), pgInstant(whole.to), JSON.stringify(filter)];
    const { rows } = await tx.query<PartsRow>(readParts, values);
    return rows.map((row) => ({ ...placeOf(row), value: valueOf(row, aggregation) }));
  }

  private async fromEvents(
    tx: Tx,
    question: UsageQuestion,
    aggregation: keyof typeof readFromEvents,
  ): Promise<readonly UsageAnswer[]> {
    const values = [...shared(question), JSON.stringify(question.filter)];
    const { rows } = await tx.query<ValueRow>(readFromEvents[aggregation], values);
    return rows.map((row) => ({ ...placeOf(row), value: textOf(row.value) }));
  }
}

function shared({ tenantId, customerId, meter, bounds, groupBy, from, to }: UsageQuestion): unknown[] {
  return [tenantId, customerId, meter, instants(bounds), texts(groupBy), pgInstant(from), pgInstant(to)];
}

function placeOf({ place, grouping }: Pick<ValueRow, 'place' | 'grouping'>) {
  return { window: place, group: grouping ?? {} };
}

function valueOf({ events, total, lowest, highest }: PartsRow, of: AdditiveAggregation): string | null {
  if (total === null || lowest === null || highest === null) return null;
  const parts = {
    events,
    total: amountFromPg(total),
    lowest: amountFromPg(lowest),
    highest: amountFromPg(highest),
  };
  return formatAmount(valueOfParts(of, parts));
}

/** A quantity, or a count of values. */
function textOf(value: string | bigint | null): string | null {
  return typeof value === 'string' ? formatAmount(amountFromPg(value)) : (value?.toString() ?? null);
}
