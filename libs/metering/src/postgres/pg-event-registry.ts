import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import { EventRegistry } from '../service/ports';
import type { Claim, ClaimOutcome, Identity } from '../service/ports';
import { claimEvents, forgetEvents, readClaims } from './sql/claim-events';

interface KnownRow {
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
    const first = new Map<string, Claim>();
    for (const claim of claims) if (!first.has(nameOf(claim))) first.set(nameOf(claim), claim);
    const unique = [...first.values()];
    const known = unique.length === 0 ? new Map<string, KnownRow>() : await this.insert(unique);
    return claims.map((claim) =>
      outcomeOf(claim, first.get(nameOf(claim)) as Claim, known.get(nameOf(claim))),
    );
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
      claims.map((one) => one.tenantId),
      claims.map((one) => one.source),
      claims.map((one) => one.id),
    ];
    return this.database.asWorker(async (tx) => {
      const { rows: claimed } = await tx.query<{ source: string; event_id: string }>(claimEvents, [
        ...keys,
        claims.map((one) => one.payloadHash),
        claims.map((one) => pgInstant(one.occurredAt)),
        claims.map((one) => pgInstant(one.receivedAt)),
        claims.map((one) => pgInstant(one.keepUntil)),
      ]);
      if (claimed.length === claims.length) return new Map<string, KnownRow>();
      const fresh = new Set(claimed.map((row) => nameOf({ source: row.source, id: row.event_id })));
      const { rows } = await tx.query<KnownRow>(readClaims, keys);
      return new Map(
        rows
          .map((row) => [nameOf({ source: row.source, id: row.event_id }), row] as const)
          .filter(([name]) => !fresh.has(name)),
      );
    });
  }
}

/** Claims of one call are one tenant's. */
function nameOf({ source, id }: Identity): string {
  return JSON.stringify([source, id]);
}

function outcomeOf(claim: Claim, first: Claim, known: KnownRow | undefined): ClaimOutcome {
  if (known !== undefined)
    return { kind: 'known', payloadHash: known.payload_hash, occurredAt: instantFromPg(known.occurred_at) };
  return claim === first
    ? { kind: 'claimed' }
    : { kind: 'known', payloadHash: first.payloadHash, occurredAt: first.occurredAt };
}
