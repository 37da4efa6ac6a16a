import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, instants, pgInstant, texts, uuids } from '@tallygate/platform';
import { EventRegistry } from '../service/ports';
import type { Claim, ClaimOutcome } from '../service/ports';
import { claimEvents, forgetEvents, readKnown } from './sql/claim-events';

interface KnownRow {
  readonly tenant_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly payload_hash: string;
  readonly occurred_at: string;
}

@Injectable()
export class PgEventRegistry extends EventRegistry {
  constructor(private readonly database: Database) {
    super();
  }

  override async claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]> {
    const names = claims.map(nameOf);
    const first = new Map<string, Claim>();
    claims.forEach((claim, place) => {
      const name = names[place] as string;
      if (!first.has(name)) first.set(name, claim);
    });
    const known = claims.length === 0 ? new Map<string, KnownRow>() : await this.insert([...first.values()]);
    return claims.map((claim, place) => {
      const name = names[place] as string;
      return outcomeOf(claim, first.get(name) as Claim, known.get(name));
    });
  }

  override async forget(scope: string | null, systemNow: Instant): Promise<number> {
    const { rowCount } = await this.database.asWorker((tx) =>
      tx.query(forgetEvents, [scope, pgInstant(systemNow)]),
    );
    return rowCount ?? 0;
  }

  /** @returns those that were known, by name */
  private async insert(claims: readonly Claim[]): Promise<Map<string, KnownRow>> {
    const keys = [
      uuids(claims.map((one) => one.tenantId)),
      texts(claims.map((one) => one.source)),
      texts(claims.map((one) => one.id)),
    ];
    return this.database.asWorker(async (tx) => {
      const { rows: counted } = await tx.query<{ claimed: number }>(claimEvents, [
        ...keys,
        texts(claims.map((one) => one.payloadHash)),
        instants(claims.map((one) => one.occurredAt)),
        instants(claims.map((one) => one.receivedAt)),
        instants(claims.map((one) => one.keepUntil)),
      ]);
      if (counted[0]?.claimed === claims.length) return new Map<string, KnownRow>();
      const { rows } = await tx.query<KnownRow>(readKnown, keys);
      return new Map(rows.map((row) => [nameOfRow(row), row]));
    });
  }
}

function nameOf({ tenantId, source, id }: Pick<Claim, 'tenantId' | 'source' | 'id'>): string {
  return JSON.stringify([tenantId, source, id]);
}

function nameOfRow(row: KnownRow): string {
  return nameOf({ tenantId: row.tenant_id, source: row.source, id: row.event_id });
}

function outcomeOf(claim: Claim, first: Claim, known: KnownRow | undefined): ClaimOutcome {
  if (known !== undefined)
    return { kind: 'known', payloadHash: known.payload_hash, occurredAt: instantFromPg(known.occurred_at) };
  return claim === first
    ? { kind: 'claimed' }
    : { kind: 'known', payloadHash: first.payloadHash, occurredAt: first.occurredAt };
}
