import { Injectable } from '@nestjs/common';
import type { Price, PriceAnnouncement } from '@tallygate/contracts';
import { instantFromPg, pgInstant, pgInstantOrNull, texts } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Instant } from '@tallygate/kernel';
import type { NewRow } from '../domain';
import { AnnouncedPriceStore } from '../service/announced-price-store';
import type { RatedUsage } from '../service/announced-price-store';
import * as sql from './sql/announced-price';

@Injectable()
export class PgAnnouncedPriceStore extends AnnouncedPriceStore {
  override async alone(tx: Tx, tenantId: string): Promise<void> {
    await tx.query(sql.alone, [tenantId]);
  }

  override async rated(
    tx: Tx,
    tenantId: string,
    features: readonly string[],
    { row, until }: NewRow,
  ): Promise<readonly RatedUsage[]> {
    const { rows } = await tx.query<{ feature: string; grp: Record<string, string>; earliest: string }>(
      sql.ratedUsage,
      [
        tenantId,
        texts(features),
        row.from === Number.MIN_SAFE_INTEGER ? null : pgInstant(row.from as Instant),
        pgInstantOrNull(until),
        JSON.stringify(Object.fromEntries(row.match)),
      ],
    );
    return rows.map(({ feature, grp, earliest }) => ({
      feature,
      group: grp,
      earliest: instantFromPg(earliest),
    }));
  }

  override async add(tx: Tx, { id, tenantId, revision, rows }: PriceAnnouncement): Promise<void> {
    await tx.query(sql.announce, [id, tenantId, revision, JSON.stringify(rows)]);
  }

  override async after(tx: Tx, tenantId: string, revision: number): Promise<readonly Price[]> {
    const { rows } = await tx.query<{ rows: Price[] }>(sql.announcedAfter, [tenantId, revision]);
    return rows.flatMap((row) => row.rows);
  }

  override async remove(tx: Tx, tenantId: string, id: string): Promise<boolean> {
    return (await tx.query(sql.withdraw, [tenantId, id])).rowCount === 1;
  }

  override async settle(tx: Tx, tenantId: string, revision: number): Promise<void> {
    await tx.query(sql.settle, [tenantId, revision]);
  }
}
