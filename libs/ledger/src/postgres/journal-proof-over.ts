import type { Database } from '@tallygate/platform';
import { JournalProof } from '../service/journal-proof';
import { PgJournalSeals } from './pg-journal-seals';
import { PgWalletReadings } from './pg-wallet-readings';
import { PgWalletStore } from './pg-wallet.store';

/** The check of the journal without a ledger around it: for the command, and for whoever audits a copy. */
export function journalProofOver(database: Database): JournalProof {
  return new JournalProof(database, new PgJournalSeals(), new PgWalletReadings(new PgWalletStore()));
}
