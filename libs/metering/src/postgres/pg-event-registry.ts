import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, instants, pgInstant, sqlState, uuids } from '@tallygate/platform';
import { EventRegistry } from '../service/ports';
import type { Claim, ClaimOutcome } from '../service/ports';
import { claimNew, claimOthers, forgetEvents, readKnown } from './sql/claim-events';

const UNIQUE_VIOLATION = '23505';

interface KnownRow {
  readonly identity: string;
  readonly payload: string;
  readonly occurred_at: string;
}

@Injectable()
export class PgEventRegistry extends EventRegistry {
  constructor(private readonly database: Database) {
    super();
  }

  override async claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]> {
    const first = new Map<string, Claim>();
    for (const claim of claims) if (!first.has(claim.identity)) first.set(claim.identity, claim);
    const known = claims.length === 0 ? new Map<string, KnownRow>() : await this.insert([...first.values()]);
    return claims.map((claim) =>
      outcomeOf(claim, first.get(claim.identity) as Claim, known.get(claim.identity)),
    );
  }

  override async forget(scope: string | null, systemNow: Instant): Promise<number> {
    const { rowCount } = await this.database.asWorker((tx) =>
      tx.query(forgetEvents, [scope, pgInstant(systemNow)]),
    );
    return rowCount ?? 0;
  }

  /** @returns those that were known, by identity */
  private async insert(claims: readonly Claim[]): Promise<Map<string, KnownRow>> {
    const identities = uuids(claims.map((one) => one.identity));
    const values = [
      identities,
      uuids(claims.map((one) => one.tenantId)),
      uuids(claims.map((one) => one.payloadHash)),
      instants(claims.map((one) => one.occurredAt)),
      instants(claims.map((one) => one.keepUntil)),
    ];
    if (await this.areNew(values)) return new Map<string, KnownRow>();
    return this.database.asWorker(async (tx) => {
      await tx.query(claimOthers, values);
      const { rows } = await tx.query<KnownRow>(readKnown, [identities]);
      return new Map(rows.map((row) => [undashed(row.identity), row]));
    });
  }

  /** @returns false when one of them is known: then none is remembered */
  private async areNew(values: readonly unknown[]): Promise<boolean> {
    try {
      await this.database.asWorker((tx) => tx.query(claimNew, [...values]));
      return true;
    } catch (error) {
      if (sqlState(error) === UNIQUE_VIOLATION) return false;
      throw error;
    }
  }
}

function undashed(uuid: string): string {
  return uuid.replaceAll('-', '');
}

function outcomeOf(claim: Claim, first: Claim, known: KnownRow | undefined): ClaimOutcome {
  if (known !== undefined)
    return {
      kind: 'known',
      payloadHash: undashed(known.payload),
      occurredAt: instantFromPg(known.occurred_at),
    };
  return claim === first
    ? { kind: 'claimed' }
    : { kind: 'known', payloadHash: first.payloadHash, occurredAt: first.occurredAt };
}
