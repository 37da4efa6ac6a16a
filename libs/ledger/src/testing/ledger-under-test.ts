import { randomBytes } from 'node:crypto';
import { Directory } from '@tallygate/directory';
import { SequentialIds, toMillis } from '@tallygate/kernel';
import type { Clock, Ids } from '@tallygate/kernel';
import { InProcessEventBus, PgOutbox, PgTenantTime } from '@tallygate/platform';
import type { PgDatabase } from '@tallygate/platform';
import { PgAnnouncedPriceStore } from '../postgres/pg-announced-price.store';
import { PgAttributionStore } from '../postgres/pg-attribution.store';
import { PgCheckpointStore } from '../postgres/pg-checkpoint.store';
import { PgCorrectionStore } from '../postgres/pg-correction.store';
import { PgCounterStore } from '../postgres/pg-counter.store';
import { PgDueStore } from '../postgres/pg-due.store';
import { PgGrantStore } from '../postgres/pg-grant.store';
import { PgMeterHistory } from '../postgres/pg-meter-history';
import { PgPublicationStore } from '../postgres/pg-publication.store';
import { PgParkedStore, PgRatingFacts } from '../postgres/pg-rating-facts';
import { PgSubscriptionStore } from '../postgres/pg-subscription.store';
import { PgUsageStore } from '../postgres/pg-usage.store';
import { PgWalletStore } from '../postgres/pg-wallet.store';
import { AnnouncedPrices } from '../service/announced-prices.service';
import { BalanceFeed } from '../service/balance-feed';
import { BillingFactsService } from '../service/billing-facts.service';
import { Counting } from '../service/counting.service';
import { Attribution } from '../service/attribution.service';
import { CheckpointSweeper } from '../service/checkpoint-sweeper';
import { Corrections } from '../service/corrections.service';
import { Grants } from '../service/grants.service';
import { LedgerSweeper } from '../service/ledger-sweeper';
import { ParkedUsage } from '../service/parked-usage.service';
import { PlanGrants } from '../service/plan-grants.service';
import { Quotas } from '../service/quotas.service';
import { SpendCaps } from '../service/spend-caps.service';
import { UsageSliceService } from '../service/usage-slice.service';
import { WalletPosting } from '../service/wallet-posting';

/** The ledger's parts wired by hand over one database: what tests and the bench drive without a server. */
export function assembleLedger(database: PgDatabase, clock: Clock) {
  const ids: Ids = new SequentialIds(
    () => toMillis(clock.now()),
    (bytes) => randomBytes(bytes),
  );
  const time = new PgTenantTime(database, clock);
  const outbox = new PgOutbox({ database, bus: new InProcessEventBus() });
  const directory = new Directory(database, time);
  const wallets = new PgWalletStore();
  const usage = new PgUsageStore(database, directory);
  const counters = new PgCounterStore();
  const counting = new Counting(counters);
  const grantStore = new PgGrantStore();
  const parkedStore = new PgParkedStore();
  const posting = new WalletPosting(wallets, outbox, ids);
  const correctionStore = new PgCorrectionStore();
  const corrections = new Corrections(usage, correctionStore, counters, posting, outbox, ids);
  const rating = new PgRatingFacts(directory, usage);
  const feed = new BalanceFeed(database, new PgPublicationStore(wallets), outbox, time, ids);
  const grants = new Grants(grantStore, posting, ids);
  const subscriptions = new PgSubscriptionStore();
  const quotas = new Quotas(rating, counters, subscriptions, outbox, ids);
  const announced = new PgAnnouncedPriceStore();
  const caps = new SpendCaps(database, announced, rating, counters, outbox, ids);
  const parked = new ParkedUsage(parkedStore, usage, counters, counting, posting, outbox, ids);
  const prices = new AnnouncedPrices(announced, rating, parked);
  const planGrants = new PlanGrants(grantStore, posting, ids);
  const facts = new BillingFactsService(
    subscriptions,
    rating,
    quotas,
    caps,
    grants,
    planGrants,
    prices,
    new PgMeterHistory(),
  );
  const slices = new UsageSliceService(
    usage,
    counters,
    counting,
    posting,
    outbox,
    time,
    feed,
    ids,
    corrections,
  );
  const sweeper = new LedgerSweeper(database, new PgDueStore(), posting, quotas, time);
  return {
    database,
    ids,
    time,
    outbox,
    directory,
    wallets,
    usage,
    posting,
    feed,
    grants,
    quotas,
    prices,
    caps,
    facts,
    slices,
    sweeper,
    attribution: new Attribution(new PgAttributionStore(), correctionStore),
    checkpoints: new CheckpointSweeper(database, new PgCheckpointStore()),
  };
}

export type LedgerUnderTest = ReturnType<typeof assembleLedger>;
