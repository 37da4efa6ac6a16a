import { Module } from '@nestjs/common';
import type { DynamicModule, OnModuleInit, Provider, Type } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { counter, Database, gauge, InternalGuard, PlatformModule, ServiceContext } from '@tallygate/platform';
import { AttributionController } from './http/attribution.controller';
import { CreditController } from './http/credit.controller';
import { Customers } from './http/customers';
import { MoneyMoves } from './http/money-moves';
import { PricesController } from './http/prices.controller';
import { PartitionsController } from './http/partitions.controller';
import { QuotasController } from './http/quotas.controller';
import { BookedEventsController, UsageController } from './http/usage.controller';
import { WalletsController } from './http/wallets.controller';
import { BillingFactsConsumer } from './kafka/billing-facts.consumer';
import { PartitionAlarm, partitionsCheck } from './kafka/partition-alarm';
import { UsageConsumer } from './kafka/usage.consumer';
import { PgAnnouncedPriceStore } from './postgres/pg-announced-price.store';
import { PgAttributionStore } from './postgres/pg-attribution.store';
import { PgCheckpointStore } from './postgres/pg-checkpoint.store';
import { PgCorrectionStore } from './postgres/pg-correction.store';
import { PgCounterStore } from './postgres/pg-counter.store';
import { PgDueStore } from './postgres/pg-due.store';
import { PgGenerationStore } from './postgres/pg-generation.store';
import { PgGrantStore } from './postgres/pg-grant.store';
import { PgHoldStore } from './postgres/pg-hold.store';
import { PgMeterHistory } from './postgres/pg-meter-history';
import { PgJournalSeals } from './postgres/pg-journal-seals';
import { PgPartitionStore } from './postgres/pg-partition.store';
import { PgPublicationStore } from './postgres/pg-publication.store';
import { PgParkedStore, PgRatingFacts } from './postgres/pg-rating-facts';
import { PgSubscriptionStore } from './postgres/pg-subscription.store';
import { PgUsageReadings } from './postgres/pg-usage-readings';
import { PgUsageRollupStore } from './postgres/pg-usage-rollup.store';
import { PgUsageStore } from './postgres/pg-usage.store';
import { PgWalletReadings } from './postgres/pg-wallet-readings';
import { PgWalletStore } from './postgres/pg-wallet.store';
import { AnnouncedPriceStore } from './service/announced-price-store';
import { AnnouncedPrices } from './service/announced-prices.service';
import { BalanceFeed } from './service/balance-feed';
import { BalanceFeedLoop } from './service/balance-feed-loop';
import { BillingFactsService } from './service/billing-facts.service';
import { AttributionStore } from './service/attribution-store';
import { Attribution } from './service/attribution.service';
import { CheckpointStore } from './service/checkpoint-store';
import { CheckpointSweeper } from './service/checkpoint-sweeper';
import { CorrectionStore } from './service/correction-store';
import { Corrections } from './service/corrections.service';
import { CounterStore } from './service/counter-store';
import { Counting } from './service/counting.service';
import { DueStore } from './service/due-store';
import { GrantStore } from './service/grant-store';
import { Grants } from './service/grants.service';
import { HoldStore } from './service/hold-store';
import { Holds } from './service/holds.service';
import { JournalProof } from './service/journal-proof';
import { JournalSealer } from './service/journal-sealer';
import type { SealObserver } from './service/journal-sealer';
import { JournalSeals } from './service/journal-seals';
import { LedgerSweeper } from './service/ledger-sweeper';
import { MeterHistory } from './service/meter-history';
import { PartitionStops } from './service/partition-stops';
import { ParkedUsage } from './service/parked-usage.service';
import { PlanGrants } from './service/plan-grants.service';
import { PublicationStore } from './service/publication-store';
import { Quotas } from './service/quotas.service';
import { ParkedStore, RatingFacts } from './service/rating-facts';
import { SpendCaps } from './service/spend-caps.service';
import { SubscriptionStore } from './service/subscription-store';
import { UsageGenerations } from './service/usage-generations';
import { PartitionStore, UsagePartitions } from './service/usage-partitions';
import { UsageQuery } from './service/usage-query.service';
import { UsageReadings } from './service/usage-readings';
import { UsageRollupLoop } from './service/usage-rollup-loop';
import { UsageRollupStore } from './service/usage-rollup-store';
import { UsageSliceService } from './service/usage-slice.service';
import { UsageStore } from './service/usage-store';
import { WalletPosting } from './service/wallet-posting';
import { WalletReadings } from './service/wallet-reading';
import { WalletStore } from './service/wallet-store';

export interface LedgerOptions {
  /** Shared by the services of an installation. */
  readonly internalSecret: string;
}

const STORES: Provider[] = [
  Directory,
  PgUsageStore,
  { provide: UsageStore, useExisting: PgUsageStore },
  { provide: WalletStore, useClass: PgWalletStore },
  { provide: AttributionStore, useClass: PgAttributionStore },
  { provide: CheckpointStore, useClass: PgCheckpointStore },
  { provide: CorrectionStore, useClass: PgCorrectionStore },
  { provide: CounterStore, useClass: PgCounterStore },
  { provide: GrantStore, useClass: PgGrantStore },
  { provide: HoldStore, useClass: PgHoldStore },
  { provide: DueStore, useClass: PgDueStore },
  { provide: PublicationStore, useClass: PgPublicationStore },
  { provide: RatingFacts, useClass: PgRatingFacts },
  { provide: AnnouncedPriceStore, useClass: PgAnnouncedPriceStore },
  { provide: ParkedStore, useClass: PgParkedStore },
  { provide: SubscriptionStore, useClass: PgSubscriptionStore },
  { provide: WalletReadings, useClass: PgWalletReadings },
  { provide: MeterHistory, useClass: PgMeterHistory },
  { provide: UsageReadings, useClass: PgUsageReadings },
  { provide: UsageRollupStore, useClass: PgUsageRollupStore },
  { provide: JournalSeals, useClass: PgJournalSeals },
  { provide: PartitionStore, useClass: PgPartitionStore },
];

const USE_CASES: Provider[] = [
  WalletPosting,
  BalanceFeed,
  Counting,
  Grants,
  Holds,
  Quotas,
  SpendCaps,
  Corrections,
  Attribution,
  ParkedUsage,
  AnnouncedPrices,
  PlanGrants,
  BillingFactsService,
  UsageSliceService,
  UsageQuery,
  LedgerSweeper,
  CheckpointSweeper,
  JournalProof,
  UsagePartitions,
  PartitionStops,
];

/** What answers its routes. */
export const LEDGER_CONTROLLERS: readonly Type[] = [
  CreditController,
  PricesController,
  QuotasController,
  WalletsController,
  AttributionController,
  UsageController,
  BookedEventsController,
  PartitionsController,
];

/** The ledger as a Nest module over one service context. */
@Module({})
export class LedgerModule implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly sweeper: LedgerSweeper,
    private readonly checkpoints: CheckpointSweeper,
    private readonly feed: BalanceFeedLoop,
    private readonly rollup: UsageRollupLoop,
    private readonly seals: JournalSeals,
  ) {}

  static register(context: ServiceContext, options: LedgerOptions): DynamicModule {
    const { database, ids } = context;
    context.addCheck(partitionsCheck(new UsagePartitions(database, new PgPartitionStore(), ids)));
    return {
      module: LedgerModule,
      imports: [PlatformModule.forService(context)],
      controllers: [...LEDGER_CONTROLLERS],
      providers: [
        ...STORES,
        ...USE_CASES,
        {
          provide: BalanceFeedLoop,
          inject: [BalanceFeed],
          useFactory: (feed: BalanceFeed) => new BalanceFeedLoop(feed, context.log),
        },
        {
          provide: UsageRollupLoop,
          inject: [UsageRollupStore, Database],
          useFactory: (rollup: UsageRollupStore, database: Database) =>
            new UsageRollupLoop(rollup, database, context.log),
        },
        { provide: InternalGuard, useValue: new InternalGuard(options.internalSecret) },
        Customers,
        MoneyMoves,
        BillingFactsConsumer,
        PartitionAlarm,
        UsageConsumer,
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    this.context.addSweeper(this.sweeper);
    this.context.addSweeper(this.checkpoints);
    const { database, log } = this.context;
    this.context.sweepRunner.add(new JournalSealer(database, this.seals, log, sealMetrics(this.context)));
    const generations = new PgGenerationStore(database.schema, (work) => this.context.asOwner(work));
    this.context.sweepRunner.add(new UsageGenerations(database, generations, log));
    this.context.addSettleable(this.feed);
    await this.feed.start();
    this.rollup.start();
  }
}

function sealMetrics({ metrics }: ServiceContext): SealObserver {
  const sealed = counter(metrics, 'tallygate_journal_sealed_rows_total', 'Rows of the journal sealed', []);
  const broken = gauge(
    metrics,
    'tallygate_journal_broken_wallets',
    'Wallets not sealed: rows are missing',
    [],
  );
  return (rows, brokenWallets) => {
    sealed.inc(Number(rows));
    broken.set(brokenWallets);
  };
}
