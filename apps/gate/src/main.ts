import { writeFile } from 'node:fs/promises';
import { bootstrapOrExit, createLog, loadConfig, processEnvironment } from '@tallygate/platform';
import { gateConfig } from './config';
import type { GateConfig } from './config';
import { startGate } from './gate';
import type { StartGate } from './gate';
import { usageSinkOf } from './usage-sink-of';

void bootstrapOrExit(async () => {
  const config = loadConfig(gateConfig, processEnvironment());
  const log = createLog({ name: 'gate', level: config.LOG_LEVEL });
  const gate = await startGate({ ...optionsOf(config, log), log });
  log.info({ url: gate.url, grpc: gate.grpcAddress, proxy: gate.proxyUrl }, 'gate listening');
  if (config.PORT_FILE !== undefined) await writeFile(config.PORT_FILE, new URL(gate.url).port);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void gate.close().then(() => process.exit(0)));
  }
});

function optionsOf(config: GateConfig, log: ReturnType<typeof createLog>): StartGate {
  const sink = usageSinkOf(config, log);
  return {
    host: config.HOST,
    port: config.PORT,
    grpcPort: config.GATE_GRPC_PORT,
    proxy:
      config.PROXY_UPSTREAM === undefined
        ? undefined
        : { port: config.PROXY_PORT, upstream: config.PROXY_UPSTREAM },
    routes: config.PROXY_ROUTES,
    reportsAuthorized: config.USAGE_AUTHORIZED,
    accessLogs:
      config.ACCESS_LOG_STATE === undefined || config.ACCESS_LOG.length === 0
        ? undefined
        : { paths: config.ACCESS_LOG, stateDir: config.ACCESS_LOG_STATE },
    internalSecret: config.INTERNAL_SECRET,
    client: {
      gateId: config.GATE_ID,
      credential: config.GATE_CREDENTIAL ?? config.GATE_API_KEY ?? '',
      tenantId: config.GATE_TENANT,
      grpcUrl: config.ENTITLEMENT_GRPC_URL,
      url: config.ENTITLEMENT_URL,
      diskCopy: config.DISK_COPY,
      gates: config.GATE_COUNT,
      liveCheckMs: config.LIVE_CHECK_MS,
      usage: sink === undefined ? undefined : { sink, spoolDir: config.USAGE_SPOOL },
    },
  };
}
