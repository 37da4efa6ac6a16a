import { Module } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { Directory, directoryMigration } from '@tallygate/directory';
import { InternalGuard, PlatformModule } from '@tallygate/platform';
import type { SchemaProvisioning, ServiceContext } from '@tallygate/platform';
import { CollectionController } from './http/collection.controller';
import { PaymentController } from './http/payment.controller';
import { WebhookController } from './http/webhook.controller';
import { BillingConsumer } from './kafka/billing.consumer';
import { NotifierConsumer } from './kafka/notifier.consumer';
import { PgAttemptStore } from './postgres/attempt.pg-store';
import { PgInvoiceStore } from './postgres/invoice.pg-store';
import { dunningMigration } from './postgres/migrations/dunning.migration';
import { DirectoryOfPayers } from './postgres/payer-directory';
import { PgPayerStore } from './postgres/payer.pg-store';
import { PgProviderEventStore, PgRefundStore } from './postgres/refund.pg-store';
import { SandboxPaymentProvider } from './provider/sandbox.provider';
import type { SandboxProviderOptions } from './provider/sandbox.provider';
import { DunningJobs } from './queue/dunning.jobs';
import { BillingIntake } from './service/billing-intake.service';
import { Charging } from './service/charging.service';
import { Collecting } from './service/collecting.service';
import { Disputes } from './service/disputes.service';
import { DunningFacts } from './service/dunning-facts';
import { Outcomes } from './service/outcomes.service';
import { Paying } from './service/paying.service';
import {
  AttemptStore,
  InvoiceStore,
  PayerDirectory,
  PayerStore,
  PaymentProvider,
  ProviderEventStore,
  RefundStore,
} from './service/ports';
import { Reconciling } from './service/reconciling.service';
import { Refunding } from './service/refunding.service';
import { Sessions } from './service/session';
import { Standing } from './service/standing.service';
import { Webhooks } from './service/webhooks.service';

export interface DunningOptions {
  readonly internalSecret: string;
  readonly provider: SandboxProviderOptions;
}

export const dunningProvisioning = {
  schema: 'dunning',
  migrations: [directoryMigration, dunningMigration],
  withoutTenant: [],
} satisfies SchemaProvisioning;

const STORES = [
  { provide: InvoiceStore, useClass: PgInvoiceStore },
  { provide: AttemptStore, useClass: PgAttemptStore },
  { provide: PayerStore, useClass: PgPayerStore },
  { provide: RefundStore, useClass: PgRefundStore },
  { provide: ProviderEventStore, useClass: PgProviderEventStore },
  { provide: PayerDirectory, useClass: DirectoryOfPayers },
];
const SERVICES = [
  Directory,
  Sessions,
  DunningFacts,
  Standing,
  Outcomes,
  Charging,
  BillingIntake,
  Paying,
  Refunding,
  Disputes,
  Reconciling,
  Collecting,
  Webhooks,
  BillingConsumer,
  NotifierConsumer,
  DunningJobs,
];

/** What answers its routes. */
export const DUNNING_CONTROLLERS: readonly Type[] = [
  CollectionController,
  PaymentController,
  WebhookController,
];

/** The dunning service: attempts, retries, collection state, provider events. */
@Module({})
export class DunningModule {
  static register(context: ServiceContext, { internalSecret, provider }: DunningOptions): DynamicModule {
    return {
      module: DunningModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...DUNNING_CONTROLLERS],
      providers: [
        ...STORES,
        ...SERVICES,
        { provide: PaymentProvider, useValue: new SandboxPaymentProvider(provider) },
        { provide: InternalGuard, useValue: new InternalGuard(internalSecret) },
      ],
      exports: [Paying, Refunding],
    };
  }
}
