import { KeyDirectory } from '@tallygate/platform';
import type { Database, Principal, Scope } from '@tallygate/platform';
import { PgApiKeyStore } from './api-key.pg-store';

/** The keys where they are kept: for billing's own process, and for every service beside it in one process. */
export class PgKeyDirectory extends KeyDirectory {
  private readonly keys = new PgApiKeyStore();

  constructor(private readonly database: Database) {
    super();
  }

  override async find(secretHash: string): Promise<Principal | null> {
    const key = await this.database.asWorker((tx) => this.keys.byHash(tx, secretHash));
    if (key === null) return null;
    return { tenantId: key.tenantId, mode: key.mode, keyId: key.id, scopes: key.scopes as Scope[] };
  }
}
