import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { Database } from '@tallygate/platform';
import { policyOf } from '../domain';
import type { Policy } from '../domain';
import { PayerDirectory } from '../service/ports';
import type { PayerProfile } from '../service/ports';
import type { Session } from '../service/session';

const LOOK_EVERY_MS = 20;
const PATIENCE_MS = 2_000;

@Injectable()
export class DirectoryOfPayers extends PayerDirectory {
  constructor(
    private readonly directory: Directory,
    private readonly database: Database,
  ) {
    super();
  }

  override async knowsTenant({ tx, tenantId }: Session): Promise<boolean> {
    return (await this.directory.tenant(tx, tenantId)) !== null;
  }

  override async policies({ tx, tenantId }: Session): Promise<(key: string | null) => Policy> {
    const facts = await this.directory.catalog(tx, tenantId);
    return (key) => policyOf(facts?.catalog ?? null, key);
  }

  override profile({ tx, tenantId }: Session, customerId: string): Promise<PayerProfile | null> {
    return this.look(tx, tenantId, customerId);
  }

  override async awaitProfile(tenantId: string, customerId: string): Promise<PayerProfile | null> {
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      const profile = await this.database.asWorker((tx) => this.look(tx, tenantId, customerId));
      if (profile !== null || waited >= PATIENCE_MS) return profile;
      await pause(LOOK_EVERY_MS);
    }
  }

  private async look(tx: Session['tx'], tenantId: string, customerId: string): Promise<PayerProfile | null> {
    const customer = await this.directory.customerById(tx, tenantId, customerId);
    const tenant = await this.directory.tenant(tx, tenantId);
    if (customer === null || tenant === null) return null;
    return { key: customer.key, zone: customer.timezone, mode: tenant.mode };
  }
}
