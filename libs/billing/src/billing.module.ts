import { Module } from '@nestjs/common';
import type { DynamicModule, OnModuleInit, Provider, Type } from '@nestjs/common';
import { KeyDirectory, PlatformModule, ServiceContext } from '@tallygate/platform';
import { BudgetsController } from './http/budgets.controller';
import { CatalogController } from './http/catalog.controller';
import { FixedClockPeers, LocalClockPeer } from './http/clock-peers';
import { CustomersController } from './http/customers.controller';
import { IdempotentCalls } from './http/idempotent-calls';
import { InvoicesController } from './http/invoices.controller';
import { RandomSecrets } from './http/random-secrets';
import { SubscriptionsController } from './http/subscriptions.controller';
import { IntrospectionController, TenantsController } from './http/tenants.controller';
import { TestClockController } from './http/test-clock.controller';
import { AutoTopUpController, TopUpsController } from './http/top-ups.controller';
import { YamlBodies } from './http/yaml-bodies';
import { DunningFactsConsumer } from './kafka/dunning-facts.consumer';
import { LedgerFactsConsumer } from './kafka/ledger-facts.consumer';
import { PgApiKeyStore } from './postgres/api-key.pg-store';
import { PgAuditLog } from './postgres/audit.pg-store';
import { PgAutoTopUpStore } from './postgres/auto-top-up.pg-store';
import { BillingSweeper } from './postgres/billing.sweeper';
import { PgCatalogStore } from './postgres/catalog.pg-store';
import { PgFlagStore, PgMethodStore } from './postgres/customer-state.pg-store';
import { PgCustomerStore } from './postgres/customer.pg-store';
import { PgCallClaims } from './postgres/idempotency.pg-store';
import { PgInvoiceStore } from './postgres/invoice.pg-store';
import { PgKeyDirectory } from './postgres/key-directory';
import { PgSubscriptionStore } from './postgres/subscription.pg-store';
import { PgTenantStore } from './postgres/tenant.pg-store';
import { PgTestClockStore } from './postgres/test-clock.pg-store';
import { PgTopUpStore } from './postgres/top-up.pg-store';
import { AuditTrail } from './service/audit-trail.service';
import { AutoTopUpRules } from './service/auto-top-up-rules.service';
import { AutoTopUps } from './service/auto-top-ups.service';
import { BillingFacts } from './service/billing-facts';
import { Budgets } from './service/budgets.service';
import { Catalogs } from './service/catalog.service';
import { Customers } from './service/customers.service';
import { DueWork } from './service/due-work.service';
import { CustomerFlags } from './service/flags.service';
import { Invoicing } from './service/invoicing.service';
import { MoneyIn } from './service/money-in.service';
import { PaymentMethods } from './service/payment-methods.service';
import { Payments } from './service/payments.service';
import {
  ApiKeyStore,
  AuditLog,
  AutoTopUpStore,
  CatalogStore,
  CollectionPort,
  CustomerStore,
  FlagStore,
  InvoiceStore,
  LedgerPrices,
  MethodStore,
  Secrets,
  SubscriptionStore,
  TenantStore,
  TopUpStore,
} from './service/ports';
import { Subscribing } from './service/subscribing.service';
import { Subscriptions } from './service/subscriptions.service';
import { TenantSessions } from './service/tenant-session';
import { Tenants } from './service/tenants.service';
import { ClockPeers, TestClockStore } from './service/test-clock.ports';
import type { ClockPeer } from './service/test-clock.ports';
import { TestClock } from './service/test-clock.service';
import { TopUps } from './service/top-ups.service';

export interface BillingOptions {
  /** Dunning's pay-now port: over HTTP, or in this process. */
  readonly collection: CollectionPort;
  /** The ledger, asked before a price row is stated. */
  readonly prices: LedgerPrices;
  /** The other services that a test clock stops for; billing itself is always one. */
  readonly clockPeers: readonly ClockPeer[];
}

const STORES: Provider[] = [
  { provide: TenantStore, useClass: PgTenantStore },
  { provide: ApiKeyStore, useClass: PgApiKeyStore },
  { provide: CatalogStore, useClass: PgCatalogStore },
  { provide: CustomerStore, useClass: PgCustomerStore },
  { provide: SubscriptionStore, useClass: PgSubscriptionStore },
  { provide: InvoiceStore, useClass: PgInvoiceStore },
  { provide: TopUpStore, useClass: PgTopUpStore },
  { provide: AutoTopUpStore, useClass: PgAutoTopUpStore },
  { provide: MethodStore, useClass: PgMethodStore },
  { provide: FlagStore, useClass: PgFlagStore },
  { provide: AuditLog, useClass: PgAuditLog },
  { provide: TestClockStore, useClass: PgTestClockStore },
  { provide: Secrets, useClass: RandomSecrets },
  PgCallClaims,
];

const USE_CASES: Provider[] = [
  TenantSessions,
  BillingFacts,
  Tenants,
  AuditTrail,
  Catalogs,
  Customers,
  PaymentMethods,
  CustomerFlags,
  Budgets,
  Subscribing,
  Subscriptions,
  Invoicing,
  MoneyIn,
  Payments,
  TopUps,
  AutoTopUps,
  AutoTopUpRules,
  DueWork,
  TestClock,
];

/** What answers its routes. */
export const BILLING_CONTROLLERS: readonly Type[] = [
  TenantsController,
  IntrospectionController,
  CatalogController,
  CustomersController,
  BudgetsController,
  SubscriptionsController,
  InvoicesController,
  TopUpsController,
  AutoTopUpController,
  TestClockController,
];

/** Billing as a Nest module over one service context. */
@Module({})
export class BillingModule implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly sweeper: BillingSweeper,
  ) {}

  static register(context: ServiceContext, options: BillingOptions): DynamicModule {
    const peers = [new LocalClockPeer('billing', context.participant), ...options.clockPeers];
    return {
      module: BillingModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...BILLING_CONTROLLERS],
      providers: [
        ...STORES,
        ...USE_CASES,
        { provide: CollectionPort, useValue: options.collection },
        { provide: LedgerPrices, useValue: options.prices },
        { provide: ClockPeers, useValue: new FixedClockPeers(peers) },
        { provide: KeyDirectory, useValue: new PgKeyDirectory(context.database) },
        IdempotentCalls,
        YamlBodies,
        BillingSweeper,
        DunningFactsConsumer,
        LedgerFactsConsumer,
      ],
    };
  }

  onModuleInit(): void {
    this.context.addSweeper(this.sweeper);
  }
}
