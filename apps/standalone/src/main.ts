import { bootstrapOrExit, loadConfig, processEnvironment } from '@tallygate/platform';
import { standaloneConfig } from './config';
import { startStandalone } from './standalone';

void bootstrapOrExit(async () => {
  const config = loadConfig(standaloneConfig, processEnvironment());
  await startStandalone(config);
});
