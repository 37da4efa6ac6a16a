import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, pgInstant } from '@tallygate/platform';
import type { Answer } from '@tallygate/platform';

export interface CallIdentity {
  readonly tenantId: string;
  readonly key: string;
  readonly route: string;
  readonly bodyHash: string;
}

/** What is known of a key: `claimed` by this call, or by an earlier one, with its answer once it had one. */
export type Claim =
  | { readonly state: 'claimed' }
  | { readonly state: 'other'; readonly route: string }
  | { readonly state: 'answered'; readonly answer: Answer };

interface Row extends Record<string, unknown> {
  readonly route: string;
  readonly body_hash: string;
  readonly status: number | null;
  readonly answer: unknown;
}

/**
 * The platform's idempotency table, for calls that wait for a payment provider between two transactions: the key is
 * claimed in the first and answered in the last. A call that died in between left a claim without an answer; its repeat
 * runs again, and the use case itself knows what it began.
 */
@Injectable()
export class PgCallClaims {
  constructor(private readonly database: Database) {}

  claim({ tenantId, key, route, bodyHash }: CallIdentity, systemNow: Instant): Promise<Claim> {
    return this.database.asTenant(tenantId, async (tx) => {
      await tx.query(
        `insert into idempotency (tenant_id, key, route, body_hash, created_at)
         values ($1, $2, $3, $4, $5) on conflict do nothing`,
        [tenantId, key, route, bodyHash, pgInstant(systemNow)],
      );
      const { rows } = await tx.query<Row>(
        'select route, body_hash, status, answer from idempotency where tenant_id = $1 and key = $2',
        [tenantId, key],
      );
      const [row] = rows;
      if (row === undefined || row.route !== route || row.body_hash !== bodyHash)
        return { state: 'other', route: row?.route ?? route };
      if (row.status === null) return { state: 'claimed' };
      return { state: 'answered', answer: { status: row.status, body: row.answer } };
    });
  }

  async answer({ tenantId, key }: CallIdentity, { status, body }: Answer): Promise<void> {
    await this.database.asTenant(tenantId, (tx) =>
      tx.query('update idempotency set status = $3, answer = $4 where tenant_id = $1 and key = $2', [
        tenantId,
        key,
        status,
        JSON.stringify(body ?? null),
      ]),
    );
  }
}
