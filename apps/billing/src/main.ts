import { bootstrapOrExit, loadConfig, processEnvironment } from '@tallygate/platform';
import { startBilling } from './billing';
import { billingConfig } from './config';

void bootstrapOrExit(async () => startBilling(loadConfig(billingConfig, processEnvironment())));
