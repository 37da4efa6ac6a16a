import { Injectable } from '@nestjs/common';
import { formatAmount } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Counter, CounterKey } from '../domain';
import { CounterStore } from '../service/counter-store';
import { plainArray, textArray } from './array-literal';
import { lockCounters, saveCounters } from './sql/counter';
import { amountFromPg } from './wallet-rows';

export interface CounterRow {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly feature: string;
  readonly kind: Counter['kind'];
  readonly scope: string;
  readonly period_start: string;
  readonly period_end: string | null;
  readonly included: string;
  readonly used: string;
  readonly quota_limit: Counter['limit'];
  readonly revision: bigint;
}

export function counterOf(row: CounterRow): Counter {
  return {
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    feature: row.feature,
    kind: row.kind,
    scope: row.scope,
    periodStart: instantFromPg(row.period_start),
    periodEnd: instantOrNullFromPg(row.period_end),
    included: amountFromPg(row.included),
    used: amountFromPg(row.used),
    limit: row.quota_limit,
    revision: Number(row.revision),
  };
}

@Injectable()
export class PgCounterStore extends CounterStore {
  override async lock(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]> {
    if (keys.length === 0) return [];
    const { rows } = await tx.query<CounterRow>(lockCounters, keyArrays(keys));
    return rows.map(counterOf);
  }

  override async save(
    tx: Tx,
    counters: readonly Counter[],
    published: (counter: Counter) => boolean,
  ): Promise<void> {
    if (counters.length === 0) return;
    for (const counter of counters) counter.revision += 1;
    await tx.query(saveCounters, [
      ...keyArrays(counters),
      plainArray(counters.map((counter) => pgInstantOrNull(counter.periodEnd))),
      plainArray(counters.map((counter) => formatAmount(counter.included))),
      plainArray(counters.map((counter) => formatAmount(counter.used))),
      plainArray(counters.map((counter) => counter.limit)),
      plainArray(counters.map((counter) => counter.revision)),
      plainArray(counters.map(published)),
    ]);
  }
}

function keyArrays(keys: readonly CounterKey[]): string[] {
  return [
    plainArray(keys.map((key) => key.tenantId)),
    plainArray(keys.map((key) => key.customerId)),
    textArray(keys.map((key) => key.feature)),
    plainArray(keys.map((key) => key.kind)),
    textArray(keys.map((key) => key.scope)),
    plainArray(keys.map((key) => pgInstant(key.periodStart))),
  ];
}
