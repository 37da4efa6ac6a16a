import { Injectable } from '@nestjs/common';
import { Ids, type Instant, type Nano, formatAmount, parseAmount } from '@tallygate/kernel';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Announced } from '../domain';
import { type Facts, type WatchKey, WatchStore, type Watched } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/watches';

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

  override async fired(session: Session, watch: WatchKey): Promise<readonly string[]> {
    const { rows } = await session.tx.query<{ fired: string[] }>(sql.fired, keyOf(session, watch));
    return rows[0]?.fired ?? [];
  }

  override async setFired(
    session: Session,
    watch: WatchKey,
    fired: readonly string[],
    dueAt: Instant | null,
  ): Promise<void> {
    await session.tx.query(sql.setFired, [...keyOf(session, watch), fired, pgInstantOrNull(dueAt)]);
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
    customerId: string,
    feature: string,
    periodStart: string,
  ): Promise<Announced> {
    const values = [tenantId, customerId, feature, periodStart];
    const { rows } = await tx.query<Record<'percent' | 'units', string | null>>(sql.announced, values);
    return { percent: nano(rows[0]?.percent), units: nano(rows[0]?.units) };
  }

  override async setAnnounced(
    { tx, tenantId }: Session,
    customerId: string,
    feature: string,
    periodStart: string,
    { percent, units }: Announced,
  ): Promise<void> {
    const values = [tenantId, customerId, feature, periodStart, text(percent), text(units)];
    await tx.query(sql.setAnnounced, values);
  }
}

function keyOf({ tenantId }: Session, { customerId, kind, key }: WatchKey): unknown[] {
  return [tenantId, customerId, kind, key];
}

function nano(value: string | null | undefined): Nano | null {
  const parsed = parseAmount(value);
  return parsed.ok ? parsed.value : null;
}

const text = (value: Nano | null): string | null => (value === null ? null : formatAmount(value));
