export { LedgerModule } from './ledger.module';
export type { LedgerOptions } from './ledger.module';
export { ledgerProvisioning } from './provisioning';
