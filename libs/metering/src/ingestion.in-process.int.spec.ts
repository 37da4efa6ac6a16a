import { InProcessEventBus } from '@tallygate/platform';
import { ingestionBehaviour } from './testing/ingestion.conformance';

ingestionBehaviour('the bus in this process', async () => new InProcessEventBus());
