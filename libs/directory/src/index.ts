export { Directory } from './postgres/directory';
export type { CatalogFacts, SubjectOfTenant } from './postgres/directory';
export { directoryMigration } from './postgres/migrations/directory.migration';
