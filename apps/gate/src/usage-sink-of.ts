import { HttpUsageSink } from '@tallygate/gate-sdk';
import type { UsageSink } from '@tallygate/gate-sdk';
import { KafkaEventBus } from '@tallygate/platform';
import type { Log } from '@tallygate/platform';
import type { GateConfig } from './config';
import { KafkaUsageSink } from './kafka/kafka-usage-sink';

/** Undefined: usage is not reported. */
export function usageSinkOf(config: GateConfig, log: Log): UsageSink | undefined {
  const { USAGE, KAFKA_BROKERS: brokers, INGESTION_URL: url, GATE_API_KEY: credential } = config;
  if (USAGE === 'kafka' && brokers !== undefined) {
    return new KafkaUsageSink(new KafkaEventBus({ brokers, clientId: config.GATE_ID, log }));
  }
  if (USAGE === 'http' && url !== undefined && credential !== undefined)
    return new HttpUsageSink({ url, credential });
  return undefined;
}
