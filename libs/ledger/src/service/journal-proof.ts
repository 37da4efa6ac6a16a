import { Injectable } from '@nestjs/common';
import { Database } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { JournalSeals } from './journal-seals';
import type { ChainVerdict, SealHead } from './journal-seals';
import { WalletReadings } from './wallet-reading';

export interface JournalProofOfTenant {
  /** Every row sums to zero, and wallets, lots and debts equal the fold of the journal. */
  readonly balanced: boolean;
  /** Every row is as it was written, none is missing and none too many. */
  readonly whole: boolean;
  readonly chain: ChainVerdict;
}

/** Says of a tenant's journal whether it is right, recomputed from its rows, and what the first wrong thing is. */
@Injectable()
export class JournalProof {
  constructor(
    private readonly database: Database,
    private readonly seals: JournalSeals,
    private readonly readings: WalletReadings,
  ) {}

  tenants(): Promise<readonly string[]> {
    return this.database.asWorker((tx) => this.seals.tenants(tx));
  }

  of(tenantId: string): Promise<JournalProofOfTenant> {
    return this.database.asTenant(tenantId, (tx) => this.prove(tx, tenantId));
  }

  /** One seal as it is now, to be held against what somebody remembers of it. */
  seal(tenantId: string, seq: bigint): Promise<SealHead | null> {
    return this.database.asTenant(tenantId, (tx) => this.seals.sealOf(tx, tenantId, seq));
  }

  private async prove(tx: Tx, tenantId: string): Promise<JournalProofOfTenant> {
    const chain = await this.seals.verify(tx, tenantId);
    const { balanced, gapless } = await this.readings.verify(tx, tenantId);
    return { balanced, whole: gapless && chain.fault === null, chain };
  }
}
