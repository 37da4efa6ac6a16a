import { type DynamicModule, Module, type OnModuleDestroy, type Provider, type Type } from '@nestjs/common';
import { Directory, directoryMigration } from '@tallygate/directory';
import {
  Database,
  PlatformModule,
  type SchemaProvisioning,
  type ServiceContext,
  TenantTime,
} from '@tallygate/platform';
import { NoticesController } from './http/notices.controller';
import { FactConsumers } from './kafka/fact.consumers';
import { PgAlertStore } from './postgres/alert.pg-store';
import { PgCustomerLane } from './postgres/customer-lane.pg';
import { PgDeliveryStore } from './postgres/delivery.pg-store';
import { PgInvoiceIndex } from './postgres/invoice-index.pg-store';
import { notifierMigration } from './postgres/migrations/notifier.migration';
import { PgNoticeFeed } from './postgres/notice.pg-feed';
import { PgNoticeStore } from './postgres/notice.pg-store';
import { PgReminderStore } from './postgres/reminder.pg-store';
import { PgWatchStore } from './postgres/watch.pg-store';
import { NotifierJobs } from './queue/notifier.jobs';
import { BalanceNotices } from './service/balances.service';
import { Delivering } from './service/delivering.service';
import { NotifierFacts } from './service/notifier-facts';
import { LookingAgain } from './service/looking-again.service';
import { Notifying } from './service/notifying.service';
import { PaymentNotices } from './service/payments.service';
import {
  AlertStore,
  CustomerLane,
  DeliveryStore,
  InvoiceIndex,
  Mailer,
  NoticeFeed,
  NoticeStore,
  ReminderStore,
  WatchStore,
} from './service/ports';
import { Sessions } from './service/session';
import { SubscriptionNotices } from './service/subscriptions.service';
import { SmtpMailer, type SmtpMailerOptions } from './smtp/smtp.mailer';

export const notificationProvisioning: SchemaProvisioning = {
  schema: 'notifier',
  migrations: [directoryMigration, notifierMigration],
  withoutTenant: [],
};

export interface NotificationOptions {
  readonly smtp: SmtpMailerOptions;
}

const PROVIDERS: Provider[] = [
  Sessions,
  NotifierFacts,
  Notifying,
  BalanceNotices,
  PaymentNotices,
  SubscriptionNotices,
  LookingAgain,
  Delivering,
  FactConsumers,
  NotifierJobs,
  { provide: CustomerLane, useClass: PgCustomerLane },
  { provide: NoticeFeed, useClass: PgNoticeFeed },
  { provide: NoticeStore, useClass: PgNoticeStore },
  { provide: AlertStore, useClass: PgAlertStore },
  { provide: DeliveryStore, useClass: PgDeliveryStore },
  { provide: ReminderStore, useClass: PgReminderStore },
  { provide: WatchStore, useClass: PgWatchStore },
  { provide: InvoiceIndex, useClass: PgInvoiceIndex },
  {
    provide: Directory,
    useFactory: (database: Database, time: TenantTime) => new Directory(database, time),
    inject: [Database, TenantTime],
  },
];

/** What answers its routes. */
export const NOTIFICATION_CONTROLLERS: readonly Type[] = [NoticesController];

/** The notifier: facts in, each customer told once, deliveries until somebody took them. */
@Module({})
export class NotificationModule implements OnModuleDestroy {
  constructor(private readonly mailer: Mailer) {}

  static register(context: ServiceContext, { smtp }: NotificationOptions): DynamicModule {
    return {
      module: NotificationModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...NOTIFICATION_CONTROLLERS],
      providers: [...PROVIDERS, { provide: Mailer, useValue: new SmtpMailer(smtp) }],
    };
  }

  onModuleDestroy(): void {
    if (this.mailer instanceof SmtpMailer) this.mailer.close();
  }
}
