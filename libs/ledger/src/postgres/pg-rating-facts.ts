import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { bigints, instantFromPg } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { RatingBook, SubscriptionTerms } from '../domain';
import { ParkedStore, RatingFacts } from '../service/rating-facts';
import type { StoredParked } from '../service/rating-facts';
import { PgUsageStore } from './pg-usage.store';

@Injectable()
export class PgRatingFacts extends RatingFacts {
  constructor(
    private readonly directory: Directory,
    private readonly usage: PgUsageStore,
  ) {
    super();
  }

  override async book(tx: Tx, tenantId: string): Promise<RatingBook | null> {
    return this.usage.book(tx, tenantId);
  }

  override async history(
    tx: Tx,
    tenantId: string,
    customerId: string,
  ): Promise<readonly SubscriptionTerms[]> {
    return (await this.usage.histories(tx, new Map([[customerId, tenantId]]))).get(customerId) ?? [];
  }

  override async zoneOf(tx: Tx, tenantId: string, customerId: string): Promise<string> {
    const customer = await this.directory.customerById(tx, tenantId, customerId);
    return customer?.timezone ?? (await this.directory.tenant(tx, tenantId))?.timezone ?? 'UTC';
  }
}

interface ParkedRow {
  readonly id: bigint;
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly feature: string;
  readonly code: string;
  readonly occurred_at: string;
  readonly reading: unknown;
  readonly ordinal: number;
}

const LIST = `select id, tenant_id, customer_id, source, event_id, feature, code, occurred_at, reading, ordinal
                from parked_usage where tenant_id = $1::uuid order by occurred_at, id`;

@Injectable()
export class PgParkedStore extends ParkedStore {
  override async list(tx: Tx, tenantId: string): Promise<readonly StoredParked[]> {
    return (await tx.query<ParkedRow & Record<string, unknown>>(LIST, [tenantId])).rows.map(parkedOf);
  }

  override async take(tx: Tx, tenantId: string): Promise<readonly StoredParked[]> {
    return (await tx.query<ParkedRow & Record<string, unknown>>(`${LIST} for update`, [tenantId])).rows.map(
      parkedOf,
    );
  }

  override async remove(tx: Tx, ids: readonly bigint[]): Promise<void> {
    if (ids.length > 0)
      await tx.query('delete from parked_usage where id = any ($1::bigint[])', [bigints(ids)]);
  }
}

function parkedOf(row: ParkedRow): StoredParked {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    source: row.source,
    eventId: row.event_id,
    feature: row.feature,
    code: row.code,
    occurredAt: instantFromPg(row.occurred_at),
    reading: row.reading,
    ordinal: row.ordinal,
  };
}
