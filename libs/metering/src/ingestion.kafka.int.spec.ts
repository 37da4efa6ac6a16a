import { startKafka } from '@tallygate/infra-local';
import type { KafkaServer } from '@tallygate/infra-local';
import { KafkaEventBus } from '@tallygate/platform';
import { ingestionBehaviour } from './testing/ingestion.conformance';

let server: KafkaServer;

beforeAll(async () => {
  server = await startKafka({ jvmOptions: ['-XX:TieredStopAtLevel=1'] });
});
afterAll(() => server?.stop());

ingestionBehaviour(
  'Kafka',
  async () => new KafkaEventBus({ brokers: server.brokers, clientId: 'ingestion' }),
);
