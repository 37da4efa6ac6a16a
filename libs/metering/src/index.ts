export { INGESTION_CONTROLLERS, IngestionModule, ingestionProvisioning } from './ingestion.module';
export type { IngestionOptions } from './ingestion.module';
export { IdentityLookup } from './service/ports';
export type { Identity, KnownIdentity } from './service/ports';
