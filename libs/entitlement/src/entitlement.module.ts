import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationBootstrap, OnModuleDestroy, Provider, Type } from '@nestjs/common';
import { Directory, directoryMigration } from '@tallygate/directory';
import { Database, KeyDirectory, PlatformModule, ServiceContext, TenantTime } from '@tallygate/platform';
import { GrpcServer } from './grpc/grpc-server';
import type { GrpcOptions } from './grpc/grpc-server';
import { CheckController } from './http/check.controller';
import { FeedController } from './http/feed.controller';
import { GatesController } from './http/gates.controller';
import { FactConsumer } from './kafka/fact.consumer';
import { entitlementMigration } from './postgres/migrations/entitlement.migration';
import { PgEntryStore } from './postgres/pg-entry-store';
import { PgFactStore } from './postgres/pg-fact-store';
import { CheckService } from './service/check-service';
import { EntryStore } from './service/entry-store';
import { FactIntake } from './service/fact-intake';
import { FactStore } from './service/fact-store';
import { FeedAccess } from './service/feed-access';
import { FeedFollower } from './service/feed-follower';
import { FeedHub } from './service/feed-hub';
import { FeedService } from './service/feed-service';
import { GateRegistry } from './service/gate-registry';
import { LongPoll } from './service/long-poll';
import { Propagation } from './service/propagation';

export const entitlementProvisioning = {
  schema: 'entitlement',
  migrations: [directoryMigration, entitlementMigration],
  withoutTenant: ['feed_position'],
};

export interface EntitlementOptions {
  readonly keyDirectory: KeyDirectory;
  /** The credential of the installation's own gates, which see every tenant. */
  readonly gateSecret: string;
  readonly grpc: GrpcOptions;
}

const OPTIONS = Symbol('entitlement options');

/** What answers its routes. */
export const ENTITLEMENT_CONTROLLERS: readonly Type[] = [CheckController, FeedController, GatesController];

/** The entitlement service: facts in, decisions and their feed out. */
@Module({})
export class EntitlementModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(ServiceContext) private readonly context: ServiceContext,
    @Inject(FactConsumer) private readonly consumer: FactConsumer,
    @Inject(FeedFollower) private readonly follower: FeedFollower,
    @Inject(FeedService) private readonly feed: FeedService,
    @Inject(GrpcServer) private readonly grpc: GrpcServer,
    @Inject(Propagation) private readonly propagation: Propagation,
  ) {}

  static register(context: ServiceContext, options: EntitlementOptions): DynamicModule {
    return {
      module: EntitlementModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...ENTITLEMENT_CONTROLLERS],
      providers: [{ provide: OPTIONS, useValue: options }, ...PROVIDERS],
      exports: [CheckService, Propagation, GrpcServer, GateRegistry],
    };
  }

  /** The whole feed is in memory before the first gate is let in. */
  async onApplicationBootstrap(): Promise<void> {
    await this.follower.start();
    await this.consumer.start();
    this.context.addSettleable(this.propagation);
    this.feed.start();
    await this.grpc.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.feed.stop();
    this.grpc.stop();
    await this.follower.stop();
  }
}

const PROVIDERS: Provider[] = [
  FeedHub,
  GateRegistry,
  FeedService,
  LongPoll,
  FactIntake,
  CheckService,
  Propagation,
  { provide: EntryStore, useClass: PgEntryStore },
  { provide: FactStore, useClass: PgFactStore },
  {
    provide: Directory,
    useFactory: (database: Database, time: TenantTime) => new Directory(database, time),
    inject: [Database, TenantTime],
  },
  {
    provide: FeedFollower,
    useFactory: (store: EntryStore, hub: FeedHub, { log }: ServiceContext) =>
      new FeedFollower(store, hub, log),
    inject: [EntryStore, FeedHub, ServiceContext],
  },
  {
    provide: FeedAccess,
    useFactory: ({ keyDirectory, gateSecret }: EntitlementOptions) =>
      new FeedAccess(keyDirectory, gateSecret),
    inject: [OPTIONS],
  },
  {
    provide: FactConsumer,
    useFactory: (context: ServiceContext, intake: FactIntake) => new FactConsumer(context, intake),
    inject: [ServiceContext, FactIntake],
  },
  {
    provide: GrpcServer,
    useFactory: (
      { grpc }: EntitlementOptions,
      feed: FeedService,
      checks: CheckService,
      access: FeedAccess,
      { log }: ServiceContext,
    ) => new GrpcServer(grpc, { feed, checks, access, log }),
    inject: [OPTIONS, FeedService, CheckService, FeedAccess, ServiceContext],
  },
];
