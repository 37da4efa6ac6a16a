import { Injectable } from '@nestjs/common';
import { Ids, type Nano, formatAmount, parseAmount } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Announced } from '../domain';
import {
  type Facts,
  type UsedPeriod,
  type Watch,
  type WatchKey,
  WatchStore,
  type Watched,
} from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/watches';

interface WatchRow {
  readonly customer_id: string;
  readonly kind: Watched;
  readonly key: string;
  readonly version: bigint;
  readonly fired: string[];
  readonly due_at: string | null;
}

interface AnnouncedRow {
  readonly customer_id: string;
  readonly feature: string;
  readonly period_start: string;
  readonly percent: string | null;
  readonly units: string | null;
}

@Injectable()
export class PgWatchStore extends WatchStore {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async take(
    session: Session,
    watch: WatchKey,
    version: number,
    facts: Facts,
  ): Promise<false | { readonly before: Facts | null }> {
    const before = await this.latest(session, watch);
    const values = [...keyOf(session, watch), this.ids.next(), version, JSON.stringify(facts)];
    const { rowCount } = await session.tx.query(sql.take, values);
    return rowCount === 1 && { before };
  }

  override async latest(session: Session, watch: WatchKey): Promise<Facts | null> {
    const { rows } = await session.tx.query<{ facts: Facts }>(sql.latest, keyOf(session, watch));
    return rows[0]?.facts ?? null;
  }

  override async known(
    { tx, tenantId }: Session,
    watches: readonly WatchKey[],
  ): Promise<readonly Omit<Watch, 'facts'>[]> {
    const values = [
      tenantId,
      watches.map(({ customerId }) => customerId),
      watches.map(({ kind }) => kind),
      watches.map(({ key }) => key),
    ];
    const { rows } = await tx.query<WatchRow>(sql.known, values);
    return rows.map(({ customer_id: customerId, kind, key, version, fired, due_at }) => ({
      customerId,
      kind,
      key,
      version: Number(version),
      fired,
      dueAt: instantOrNullFromPg(due_at),
    }));
  }

  override async keep({ tx, tenantId }: Session, watches: readonly Watch[]): Promise<void> {
    const rows = watches.map(({ customerId, dueAt, ...watch }) => ({
      ...watch,
      customer_id: customerId,
      watch_id: this.ids.next(),
      due_at: pgInstantOrNull(dueAt),
    }));
    await tx.query(sql.keep, [tenantId, JSON.stringify(rows)]);
  }

  override async lookAgain({ tx, tenantId, now }: Session, customerId: string | null): Promise<void> {
    await tx.query(sql.lookAgain, [tenantId, customerId, pgInstant(now)]);
  }

  override async takeDue(
    { tx, tenantId, now }: Session,
    id: string,
  ): Promise<(WatchKey & { readonly facts: Facts }) | null> {
    const { rows } = await tx.query<{ customer_id: string; kind: Watched; key: string; facts: Facts }>(
      sql.takeDue,
      [tenantId, id, pgInstant(now)],
    );
    const row = rows[0];
    return row ? { customerId: row.customer_id, kind: row.kind, key: row.key, facts: row.facts } : null;
  }

  override async announced(
    { tx, tenantId }: Session,
    periods: readonly UsedPeriod[],
  ): Promise<readonly (UsedPeriod & { readonly announced: Announced })[]> {
    const values = [
      tenantId,
      periods.map(({ customerId }) => customerId),
      periods.map(({ feature }) => feature),
      periods.map(({ periodStart }) => periodStart),
    ];
    const { rows } = await tx.query<AnnouncedRow>(sql.announced, values);
    return rows.map(({ customer_id, feature, period_start, percent, units }) => ({
      customerId: customer_id,
      feature,
      periodStart: period_start,
      announced: { percent: nano(percent), units: nano(units) },
    }));
  }

  override async setAnnounced(
    { tx, tenantId }: Session,
    { customerId, feature, periodStart }: UsedPeriod,
    { percent, units }: Announced,
  ): Promise<void> {
    const values = [tenantId, customerId, feature, periodStart, text(percent), text(units)];
    await tx.query(sql.setAnnounced, values);
  }
}

function keyOf({ tenantId }: Session, { customerId, kind, key }: WatchKey): unknown[] {
  return [tenantId, customerId, kind, key];
}

function nano(value: string | null): Nano | null {
  const parsed = parseAmount(value);
  return parsed.ok ? parsed.value : null;
}

const text = (value: Nano | null): string | null => (value === null ? null : formatAmount(value));
