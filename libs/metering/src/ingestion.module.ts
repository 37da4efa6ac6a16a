import { Module } from '@nestjs/common';
import type { DynamicModule, Provider, Type } from '@nestjs/common';
import { Directory, directoryMigration } from '@tallygate/directory';
import { PlatformModule } from '@tallygate/platform';
import type { SchemaProvisioning, ServiceContext } from '@tallygate/platform';
import { Sha256PayloadHasher } from './crypto/sha256-payload-hasher';
import { AuditController } from './http/audit.controller';
import { BackfillsController } from './http/backfills.controller';
import { CorrectionsController } from './http/corrections.controller';
import { EventsController } from './http/events.controller';
import { HttpCorrectionTargets } from './http/http-correction-targets';
import { HttpIdentityLookup } from './http/http-identity-lookup';
import type { HttpIdentityLookupOptions } from './http/http-identity-lookup';
import { KeptUsageController } from './http/kept-usage.controller';
import { BillingConsumer } from './kafka/billing.consumer';
import { BusUsagePublisher } from './kafka/bus-usage-publisher';
import { LedgerConsumer } from './kafka/ledger.consumer';
import { RawUsageConsumer } from './kafka/raw-usage.consumer';
import { DirectoryCustomerLookup } from './postgres/directory-customer-lookup';
import { DirectoryTenantViews } from './postgres/directory-tenant-views';
import { eventIdentitiesMigration } from './postgres/migrations/event-identities.migration';
import { ingestionMigration } from './postgres/migrations/ingestion.migration';
import { rawSourcesMigration } from './postgres/migrations/raw-sources.migration';
import { PgAuditLog } from './postgres/pg-audit-log';
import { PgBackfillStore } from './postgres/pg-backfill-store';
import { PgDeadLetterStore } from './postgres/pg-dead-letter-store';
import { PgEventRegistry } from './postgres/pg-event-registry';
import { PgParkedStore } from './postgres/pg-parked-store';
import { PgRawSources } from './postgres/pg-raw-sources';
import { UsageSweepers } from './postgres/usage.sweepers';
import { AcceptUsage } from './service/accept-usage.service';
import { AuditLog } from './service/audit-log';
import { BackfillUsage } from './service/backfill-usage.service';
import { BackfillStore } from './service/backfills';
import { CloseDeadLetter } from './service/close-dead-letter.service';
import { DeadLetterStore } from './service/dead-letters';
import {
  CorrectionTargets,
  CustomerLookup,
  EventRegistry,
  IdentityLookup,
  ParkedStore,
  PayloadHasher,
  RawSources,
  TenantViews,
  UsagePublisher,
} from './service/ports';
import { CorrectionReader } from './service/correction-reader.service';
import { RedriveParked } from './service/redrive-parked.service';
import { TakeRawUsage } from './service/take-raw-usage.service';
import { UsageCounts } from './service/usage-counts';
import { UsageAdmission } from './service/usage-admission.service';
import { UsageReader } from './service/usage-reader.service';
import { PrometheusUsageCounts } from './telemetry/prometheus-usage-counts';

export const ingestionProvisioning: SchemaProvisioning = {
  schema: 'ingestion',
  migrations: [directoryMigration, ingestionMigration, eventIdentitiesMigration, rawSourcesMigration],
  withoutTenant: [],
};

export interface IngestionOptions {
  /** How the ledger is asked what it has booked: in this process, or over HTTP. */
  readonly identities: (IdentityLookup & CorrectionTargets) | HttpIdentityLookupOptions;
}

const ADAPTERS: Provider[] = [
  DirectoryTenantViews,
  DirectoryCustomerLookup,
  { provide: TenantViews, useExisting: DirectoryTenantViews },
  { provide: CustomerLookup, useExisting: DirectoryCustomerLookup },
  { provide: PayloadHasher, useClass: Sha256PayloadHasher },
  { provide: UsagePublisher, useClass: BusUsagePublisher },
  { provide: EventRegistry, useClass: PgEventRegistry },
  { provide: RawSources, useClass: PgRawSources },
  { provide: ParkedStore, useClass: PgParkedStore },
  { provide: DeadLetterStore, useClass: PgDeadLetterStore },
  { provide: BackfillStore, useClass: PgBackfillStore },
  { provide: AuditLog, useClass: PgAuditLog },
  { provide: UsageCounts, useClass: PrometheusUsageCounts },
];
const USE_CASES: Provider[] = [
  CorrectionReader,
  UsageReader,
  UsageAdmission,
  AcceptUsage,
  TakeRawUsage,
  RedriveParked,
  CloseDeadLetter,
  BackfillUsage,
];
const WORKERS: Provider[] = [BillingConsumer, LedgerConsumer, RawUsageConsumer, UsageSweepers];

/** What answers its routes. */
export const INGESTION_CONTROLLERS: readonly Type[] = [
  EventsController,
  CorrectionsController,
  BackfillsController,
  KeptUsageController,
  AuditController,
];

/** Event intake: validation, metering, re-keying to the customer, parking, dead letters. */
@Module({})
export class IngestionModule {
  static register(context: ServiceContext, { identities }: IngestionOptions): DynamicModule {
    const lookup: Provider = {
      provide: IdentityLookup,
      inject: [UsageCounts],
      useFactory: (counts: UsageCounts) =>
        'ledgerUrl' in identities ? new HttpIdentityLookup(identities, counts) : identities,
    };
    const targets: Provider = {
      provide: CorrectionTargets,
      inject: [UsageCounts],
      useFactory: (counts: UsageCounts) =>
        'ledgerUrl' in identities ? new HttpCorrectionTargets(identities, counts) : identities,
    };
    return {
      module: IngestionModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...INGESTION_CONTROLLERS],
      providers: [Directory, lookup, targets, ...ADAPTERS, ...USE_CASES, ...WORKERS],
    };
  }
}
