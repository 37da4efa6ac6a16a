import {
  BillingModule,
  billingProvisioning,
  HttpClockPeer,
  HttpCollection,
  HttpLedgerPrices,
  PgKeyDirectory,
} from '@tallygate/billing';
import { runKafkaService } from '@tallygate/platform';
import type { RunningService } from '@tallygate/platform';
import type { BillingConfig } from './config';

/** The billing service as a process of its own, on Kafka and PostgreSQL. */
export function startBilling(config: BillingConfig, handleSignals = true): Promise<RunningService> {
  const internalSecret = config.INTERNAL_SECRET;
  return runKafkaService({
    name: 'billing',
    config,
    provisioning: billingProvisioning,
    keys: (context) => new PgKeyDirectory(context.database),
    register: (context) =>
      BillingModule.register(context, {
        collection: new HttpCollection({ dunningUrl: config.DUNNING_URL, internalSecret }),
        prices: new HttpLedgerPrices({ ledgerUrl: config.LEDGER_URL, internalSecret }),
        clockPeers: config.CLOCK_PEERS.map((peer) => new HttpClockPeer({ ...peer, internalSecret })),
      }),
    handleSignals,
  });
}
