export { LEDGER_CONTROLLERS, LedgerModule } from './ledger.module';
export type { LedgerOptions } from './ledger.module';
export { ledgerProvisioning } from './provisioning';
export { journalProofOver } from './postgres/journal-proof-over';
export type { JournalProof, JournalProofOfTenant } from './service/journal-proof';
export type { ChainFault, ChainVerdict, SealHead } from './service/journal-seals';
export { usagePartitionsOver } from './postgres/usage-partitions-over';
export type { PartitionState, SkipOutcome, UsagePartitions } from './service/usage-partitions';
