import { Injectable } from '@nestjs/common';
import type { Instant, Nano } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Counter, CounterKey } from '../domain';
import { CounterStore } from '../service/counter-store';
import { bigints, booleans, instants, numerics, texts, uuids } from './arrays';
import { countedSince, lockCounters, saveCounters } from './sql/counter';
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

  override async countedSince(tx: Tx, key: CounterKey, from: Instant, to: Instant | null): Promise<Nano> {
    const { rows } = await tx.query<{ counted: string }>(countedSince, [
      key.tenantId,
      key.customerId,
      key.feature,
      pgInstant(from),
      pgInstantOrNull(to),
    ]);
    return amountFromPg(rows[0]?.counted ?? '0');
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
      instants(counters.map((counter) => counter.periodEnd)),
      numerics(counters.map((counter) => counter.included)),
      numerics(counters.map((counter) => counter.used)),
      texts(counters.map((counter) => counter.limit)),
      bigints(counters.map((counter) => counter.revision)),
      booleans(counters.map(published)),
    ]);
  }
}

function keyArrays(keys: readonly CounterKey[]): Buffer[] {
  return [
    uuids(keys.map((key) => key.tenantId)),
    uuids(keys.map((key) => key.customerId)),
    texts(keys.map((key) => key.feature)),
    texts(keys.map((key) => key.kind)),
    texts(keys.map((key) => key.scope)),
    instants(keys.map((key) => key.periodStart)),
  ];
}
