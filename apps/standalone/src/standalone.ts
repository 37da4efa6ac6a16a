import { join } from 'node:path';
import {
  BillingModule,
  HttpClockPeer,
  HttpLedgerPrices,
  LocalClockPeer,
  PgKeyDirectory,
  billingProvisioning,
} from '@tallygate/billing';
import { DunningModule, dunningProvisioning } from '@tallygate/dunning';
import { EntitlementModule, entitlementProvisioning } from '@tallygate/entitlement';
import { KafkaUsageSink, type RunningGate, startGate } from '@tallygate/gate';
import {
  type LocalServer,
  type PostgresServer,
  freePort,
  startNodeService,
  startPostgres,
  startSmtp,
} from '@tallygate/infra-local';
import { LedgerModule, ledgerProvisioning } from '@tallygate/ledger';
import { IngestionModule, ingestionProvisioning } from '@tallygate/metering';
import { NotificationModule, notificationProvisioning } from '@tallygate/notification';
import {
  BullJobQueue,
  CachedKeyDirectory,
  InProcessEventBus,
  type Log,
  type ReadinessCheck,
  type RunningService,
  type SchemaProvisioning,
  type ServiceContext,
  createLog,
  createService,
  createServiceContext,
  provisionQueue,
} from '@tallygate/platform';
import type { StandaloneConfig } from './config';
import { LocalCollection } from './local-collection';
import { type InstallationSecrets, installationSecrets } from './secrets';
import { StandaloneModule } from './standalone.module';

/** In the order in which facts flow, which is also the order in which a virtual clock settles them. */
const SCHEMAS = {
  ingestion: ingestionProvisioning,
  ledger: ledgerProvisioning,
  billing: billingProvisioning,
  dunning: dunningProvisioning,
  notifier: notificationProvisioning,
  entitlement: entitlementProvisioning,
} satisfies Record<string, SchemaProvisioning>;
export type Contexts = Readonly<Record<keyof typeof SCHEMAS, ServiceContext>>;

/** What stands beside the services: one PostgreSQL, one bus, one queue, the payment provider, a mail server. */
interface Surroundings {
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly bus: InProcessEventBus;
  readonly queue: BullJobQueue;
  readonly sandbox: LocalServer;
  readonly sandboxUrl: string;
  readonly smtpUrl: string;
  readonly mailFrom: string;
  readonly selfUrl: string;
  readonly gateUrl: string;
  readonly secrets: InstallationSecrets;
  readonly log: Log;
}

/** Every service in one process on an embedded PostgreSQL; stops cleanly on SIGTERM, and loses nothing on SIGKILL. */
export async function startStandalone(config: StandaloneConfig): Promise<RunningService> {
  const around = await startSurroundings(config);
  const contexts = await createContexts(around);
  const collection = new LocalCollection();
  const keyDirectory = new CachedKeyDirectory(new PgKeyDirectory(contexts.billing.database));
  const grpcPort = await freePort();
  const modules = modulesOf(contexts, around, { collection, keyDirectory, grpcPort });
  const own: { gate?: RunningGate } = {};
  const service = await createService(
    StandaloneModule.register(modules, around.bus, around.secrets.internalSecret),
    {
      name: 'standalone',
      config: { ...config, ROOT_KEY: around.secrets.rootKey, INTERNAL_SECRET: around.secrets.internalSecret },
      contexts: Object.values(contexts),
      keyDirectory,
      log: around.log,
      checks: [gateCheck(around.gateUrl, () => own.gate !== undefined)],
      closeLast: [
        async () => own.gate?.close(),
        () => around.queue.close(),
        () => around.bus.close(),
        () => around.sandbox.stop(),
        () => around.postgres.stop(),
      ],
    },
  );
  collection.connect(service.app);
  own.gate = await startOwnGate(config, around, grpcPort);
  return service;
}

/** The gate starts last, because it reads the feed that the others serve. */
const gateCheck = (where: string, isStarted: () => boolean): ReadinessCheck => ({
  name: 'gate',
  where,
  start: 'it starts with this process; its log says why it did not',
  check: async () => {
    if (!isStarted()) throw new Error('not started yet');
  },
});

/** The built-in gate, over the same feed as any other; its usage goes where a gateway's would. */
function startOwnGate(
  config: StandaloneConfig,
  { bus, secrets, selfUrl, log }: Surroundings,
  grpcPort: number,
) {
  const { PROXY_UPSTREAM: upstream, PROXY_PORT: port, PROXY_ROUTES: routes } = config;
  return startGate({
    host: config.HOST,
    port: config.GATE_PORT,
    proxy: upstream === undefined ? undefined : { port, upstream },
    routes,
    internalSecret: secrets.internalSecret,
    log,
    client: {
      gateId: 'built-in',
      credential: secrets.gateCredential,
      grpcUrl: `127.0.0.1:${grpcPort}`,
      url: selfUrl,
      liveCheckMs: config.LIVE_CHECK_MS,
      diskCopy: join(config.DATA_DIR, 'gate-copy.json'),
      usage: { sink: new KafkaUsageSink(bus), spoolDir: join(config.DATA_DIR, 'usage') },
    },
  });
}

async function startSurroundings(config: StandaloneConfig): Promise<Surroundings> {
  const log = createLog({ name: 'standalone', level: config.LOG_LEVEL });
  const secrets = await installationSecrets(config);
  const postgres = await startPostgres({ dataDir: join(config.DATA_DIR, 'postgres') });
  const databaseUrl = postgres.url('postgres');
  await provisionQueue({ ownerUrl: databaseUrl, roleSecret: secrets.roleSecret });
  const queue = new BullJobQueue({
    backend: { kind: 'postgres', databaseUrl, roleSecret: secrets.roleSecret },
    log,
  });
  const sandbox = await startSandbox(config, secrets);
  const smtpUrl = config.SMTP_URL ?? (await startSmtp()).url;
  const sandboxUrl = `http://127.0.0.1:${config.SANDBOX_PORT}`;
  const selfUrl = `http://127.0.0.1:${config.PORT}`;
  const gateUrl = `http://127.0.0.1:${config.GATE_PORT}`;
  const bus = new InProcessEventBus();
  return {
    postgres,
    databaseUrl,
    bus,
    queue,
    sandbox,
    sandboxUrl,
    smtpUrl,
    mailFrom: config.MAIL_FROM,
    selfUrl,
    gateUrl,
    secrets,
    log,
  };
}

/** The provider is a process of its own: what it captured is its own record, whatever becomes of us. */
function startSandbox(config: StandaloneConfig, secrets: InstallationSecrets): Promise<LocalServer> {
  return startNodeService({
    name: 'sandbox',
    script: join(__dirname, '../../sandbox/src/main.js'),
    env: {
      PORT: String(config.SANDBOX_PORT),
      SANDBOX_JOURNAL: join(config.DATA_DIR, 'provider.jsonl'),
      SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
      SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${config.PORT}/v1/providers/sandbox/webhooks`,
    },
    readyUrl: `http://127.0.0.1:${config.SANDBOX_PORT}/readyz`,
    logFile: join(config.DATA_DIR, 'sandbox.log'),
  });
}

async function createContexts({ databaseUrl, bus, queue, log, secrets }: Surroundings): Promise<Contexts> {
  const contexts: Partial<Record<keyof Contexts, ServiceContext>> = {};
  for (const [name, provisioning] of Object.entries(SCHEMAS)) {
    const database = {
      url: databaseUrl,
      roleSecret: secrets.roleSecret,
      apiConnections: 5,
      workerConnections: 5,
    };
    contexts[name as keyof Contexts] = await createServiceContext({
      name,
      database,
      ...provisioning,
      bus,
      queue,
      log,
    });
  }
  return contexts as Contexts;
}

interface Wiring {
  readonly collection: LocalCollection;
  readonly keyDirectory: CachedKeyDirectory;
  readonly grpcPort: number;
}

function modulesOf(contexts: Contexts, around: Surroundings, { collection, keyDirectory, grpcPort }: Wiring) {
  const { billing: _billing, ...others } = contexts;
  const internalSecret = around.secrets.internalSecret;
  const clockPeers = [
    ...Object.entries(others).map(([name, context]) => new LocalClockPeer(name, context.participant)),
    new HttpClockPeer({ name: 'sandbox', url: around.sandboxUrl, internalSecret }),
    new HttpClockPeer({ name: 'gate', url: around.gateUrl, internalSecret }),
  ];
  const provider = { url: around.sandboxUrl, webhookSecret: around.secrets.webhookSecret };
  const grpc = { host: '127.0.0.1', port: grpcPort };
  return [
    IngestionModule.register(contexts.ingestion, {
      identities: { ledgerUrl: around.selfUrl, internalSecret },
    }),
    LedgerModule.register(contexts.ledger, { internalSecret }),
    BillingModule.register(contexts.billing, {
      collection,
      prices: new HttpLedgerPrices({ ledgerUrl: around.selfUrl, internalSecret }),
      clockPeers,
    }),
    DunningModule.register(contexts.dunning, { internalSecret, provider }),
    NotificationModule.register(contexts.notifier, { smtp: { url: around.smtpUrl, from: around.mailFrom } }),
    EntitlementModule.register(contexts.entitlement, {
      keyDirectory,
      gateSecret: around.secrets.gateCredential,
      grpc,
    }),
  ];
}
