import { Injectable } from '@nestjs/common';
import type { Instant, Nano } from '@tallygate/kernel';
import {
  bigints,
  booleans,
  instantFromPg,
  instantOrNullFromPg,
  instants,
  numerics,
  pgInstant,
  pgInstantOrNull,
  texts,
  uuids,
} from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { counterName, noReadings, unitOfSpend } from '../domain';
import type { Counter, CounterKey, Gauge, PeriodValue } from '../domain';
import { CounterStore } from '../service/counter-store';
import type { CountedValue } from '../service/counter-store';
import * as sql from './sql/counter';
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
  readonly told?: string | null;
  readonly events?: bigint | null;
  readonly total?: string | null;
  readonly latest_at?: string | null;
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
    value: valueOf(row),
    revision: Number(row.revision),
    told: row.told == null ? null : amountFromPg(row.told),
  };
}

function valueOf({ events, total, latest_at }: CounterRow): PeriodValue | null {
  if (events == null) return null;
  const latestAt = instantOrNullFromPg(latest_at ?? null);
  return { ...noReadings(), events: Number(events), total: amountFromPg(total ?? '0'), latestAt };
}

@Injectable()
export class PgCounterStore extends CounterStore {
  override async lock(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]> {
    const stored = await this.lockStored(tx, keys);
    if (stored.length === keys.length) return stored.filter(isSaved);
    const known = new Set(stored.map(counterName));
    const missing = keys.filter((key) => !known.has(counterName(key)));
    await tx.query(sql.placeCounters, keyArrays(missing));
    // Another transaction may have begun one since: it has committed by now, and its count is there to go on from.
    return [...stored, ...(await this.lockStored(tx, missing))].filter(isSaved);
  }

  private async lockStored(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]> {
    if (keys.length === 0) return [];
    const { rows } = await tx.query<CounterRow>(sql.lockCounters, keyArrays(keys));
    return rows.map(counterOf);
  }

  override async countedSince(tx: Tx, key: CounterKey, from: Instant, to: Instant | null): Promise<Nano> {
    const { rows } = await tx.query<{ counted: string }>(sql.countedSince, [
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
    await tx.query(sql.saveCounters, [
      ...keyArrays(counters),
      instants(counters.map((counter) => counter.periodEnd)),
      numerics(counters.map((counter) => counter.included)),
      numerics(counters.map((counter) => counter.used)),
      texts(counters.map((counter) => counter.limit)),
      bigints(counters.map((counter) => counter.revision)),
      booleans(counters.map(published)),
    ]);
    const valued = counters.filter(({ value }) => value !== null);
    if (valued.length > 0) await this.saveValues(tx, valued);
  }

  override async counted(tx: Tx, asked: readonly CountedValue[]): Promise<readonly CountedValue[]> {
    if (asked.length === 0) return [];
    const { rows } = await tx.query<{ place: number }>(sql.countedValues, valueArrays(asked));
    return rows.flatMap(({ place }) => asked[place] ?? []);
  }

  override async debitedIn(tx: Tx, counter: Counter): Promise<Nano> {
    const { rows } = await tx.query<{ debited: string }>(sql.debitedIn, spendValues(counter));
    return amountFromPg(rows[0]?.debited ?? '0');
  }

  override async missedBy(tx: Tx, counter: Counter): Promise<Nano> {
    const values = [...spendValues(counter), counter.scope];
    const { rows } = await tx.query<{ missed: string }>(sql.missedBy, values);
    return amountFromPg(rows[0]?.missed ?? '0');
  }

  override async latest(tx: Tx, counter: Counter): Promise<Counter | null> {
    const { tenantId, customerId, feature, kind, scope } = counter;
    const { rows } = await tx.query<CounterRow>(sql.latestCounter, [
      tenantId,
      customerId,
      feature,
      kind,
      scope,
    ]);
    return rows[0] === undefined ? null : counterOf(rows[0]);
  }

  override async recount(
    tx: Tx,
    counter: Counter,
    { gauge, until }: { readonly gauge: Gauge; readonly until: Instant | null },
  ): Promise<void> {
    const { tenantId, customerId, feature, kind } = counter;
    const start = pgInstant(counter.periodStart);
    const end = pgInstantOrNull(until);
    const of = [tenantId, customerId, feature];
    const { rows } = await tx.query<CounterRow>(sql.recount(gauge), [...of, start, end]);
    counter.used = amountFromPg(rows[0]?.used ?? '0');
    counter.value = rows[0] === undefined ? null : valueOf(rows[0]);
    if (gauge !== 'unique_count') return;
    await tx.query(sql.forgetValues, [...of, kind, start]);
    await tx.query(sql.recountValues, [...of, kind, start, end]);
  }

  private async saveValues(tx: Tx, counters: readonly Counter[]): Promise<void> {
    await tx.query(sql.savePeriodValues, [
      ...keyArrays(counters),
      bigints(counters.map(({ value }) => value?.events ?? null)),
      numerics(counters.map(({ value }) => value?.total ?? null)),
      instants(counters.map(({ value }) => value?.latestAt ?? null)),
    ]);
    const fresh = counters.flatMap((counter) =>
      (counter.value?.fresh ?? []).map((value) => ({ counter, value })),
    );
    if (fresh.length > 0) await tx.query(sql.countValues, valueArrays(fresh));
  }
}

function spendValues(counter: Counter): unknown[] {
  const { tenantId, customerId, feature, periodStart, periodEnd } = counter;
  const period = [pgInstant(periodStart), pgInstantOrNull(periodEnd)];
  return [tenantId, customerId, feature, unitOfSpend(counter), ...period];
}

/** Else it is a place that nobody has used yet. */
function isSaved({ revision }: Counter): boolean {
  return revision > 0;
}

function valueArrays(values: readonly CountedValue[]): Buffer[] {
  return [...keyArrays(values.map(({ counter }) => counter)), texts(values.map(({ value }) => value))];
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
