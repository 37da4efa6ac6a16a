import { writeFile } from 'node:fs/promises';
import { Module } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Registry } from 'prom-client';
import { ApiKeyGuard } from '../auth/api-key-guard';
import { INTERNAL_SECRET } from '../auth/internal-guard';
import type { KeyDirectory } from '../auth/principal';
import { RootGuard } from '../auth/root-guard';
import type { ReadinessCheck } from '../health/readiness';
import { AllowedMethods } from '../http/allowed-methods';
import { BODY_LIMIT, readJsonBodies } from '../http/body-parser';
import { ProblemFilter } from '../http/problem-filter';
import { refuseNullsInUrls, refuseUrl } from '../http/refuse-url';
import { AnswerCheck, requireDocumented } from '../openapi/answer-check';
import { openApiDocument } from '../openapi/document';
import { DOCUMENT, OpenApiController } from '../openapi/openapi-controller';
import { CountMutations } from '../time/count-mutations';
import type { Log } from '../telemetry/log';
import { createLog } from '../telemetry/log';
import { createMetrics } from '../telemetry/metrics';
import { NestLog } from '../telemetry/nest-logger';
import { InternalClockController, PARTICIPANTS } from './internal-clock-controller';
import { CHECKS, METRICS, OperationsController } from './operations-controller';
import type { ServiceContext } from './service-context';
import { onSignals } from './shutdown';

const CLOSE_IDLE_EVERY_MS = 100;
const ANSWERED_WITHIN_MS = 10_000;

export interface CreateServiceOptions {
  readonly name: string;
  readonly config: {
    readonly PORT: number;
    readonly HOST?: string;
    readonly PORT_FILE?: string;
    readonly INTERNAL_SECRET: string;
    readonly ROOT_KEY: string;
    readonly LOG_LEVEL?: string;
    readonly CHECK_ANSWERS?: boolean;
  };
  /** The services of this process, in the order in which facts flow. Started before listening, stopped after closing. */
  readonly contexts: readonly ServiceContext[];
  readonly keyDirectory: KeyDirectory;
  /** Beyond the databases, which the contexts bring: the bus and the queue. */
  readonly checks?: readonly ReadinessCheck[];
  readonly log?: Log;
  readonly metrics?: Registry;
  /** Closed last, in this order: the bus, tracing. The queue is closed before the databases that its jobs need. */
  readonly closeLast?: readonly (() => Promise<void>)[];
  /** False in tests, whose process is not the service's. */
  readonly handleSignals?: boolean;
}

export interface RunningService {
  readonly app: NestFastifyApplication;
  readonly port: number;
  readonly url: string;
  /** `METHOD /path/:param` of everything that is answered here. */
  routes(): readonly string[];
  close(): Promise<void>;
}

/** In every process. */
export const PROCESS_CONTROLLERS: readonly Type[] = [
  OperationsController,
  OpenApiController,
  InternalClockController,
];

@Module({})
class ProcessModule {}

@Module({})
class SecretModule {}

/** One HTTP server over the services of a process, with everything that every service shares wired. */
export async function createService(
  module: Type | DynamicModule,
  options: CreateServiceOptions,
): Promise<RunningService> {
  const log = options.log ?? createLog({ name: options.name, level: options.config.LOG_LEVEL });
  const methods = new AllowedMethods();
  const app = await createApp(module, options, methods, log);
  const close = once(() => closeAll(app, options, log));
  try {
    for (const context of options.contexts) await context.start();
    await app.listen(options.config.PORT, options.config.HOST ?? '127.0.0.1');
    if (options.config.CHECK_ANSWERS === true)
      requireDocumented(methods.routes(), controllersOf(app.get(ModulesContainer)));
  } catch (error) {
    await close();
    throw error;
  }
  const { port, url } = await announce(app, options, log);
  if (options.handleSignals !== false) onSignals(close, log);
  return { app, port, url, routes: () => methods.routes(), close };
}

async function createApp(
  module: Type | DynamicModule,
  options: CreateServiceOptions,
  methods: AllowedMethods,
  log: Log,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: refuseUrl as never,
  });
  methods.watch(adapter.getInstance() as never);
  refuseNullsInUrls(adapter.getInstance() as never);
  const app = await NestFactory.create<NestFastifyApplication>(processModule(module, options), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(log),
  });
  readJsonBodies(adapter.getInstance() as never);
  app.useGlobalFilters(new ProblemFilter(log, methods));
  app.useGlobalGuards(new ApiKeyGuard({ directory: options.keyDirectory, rootKey: options.config.ROOT_KEY }));
  app.useGlobalInterceptors(new CountMutations(options.contexts.map((context) => context.participant)));
  if (options.config.CHECK_ANSWERS === true) {
    new AnswerCheck(controllersOf(app.get(ModulesContainer))).watch(adapter.getInstance() as never);
  }
  return app;
}

function processModule(module: Type | DynamicModule, options: CreateServiceOptions): DynamicModule {
  const { contexts, checks = [], config, metrics = createMetrics({ processMetrics: true }) } = options;
  return {
    module: ProcessModule,
    imports: [module, internalSecret(config.INTERNAL_SECRET)],
    controllers: [...PROCESS_CONTROLLERS],
    providers: [
      { provide: METRICS, useValue: metrics },
      { provide: CHECKS, useValue: [...contexts.flatMap((context) => context.checks), ...checks] },
      { provide: PARTICIPANTS, useValue: contexts.map((context) => context.participant) },
      {
        provide: DOCUMENT,
        inject: [ModulesContainer],
        useFactory: (modules: ModulesContainer) =>
          cached(() => openApiDocument({ name: options.name, controllers: controllersOf(modules) })),
      },
      { provide: RootGuard, useValue: new RootGuard(config.ROOT_KEY) },
    ],
  };
}

function controllersOf(modules: ModulesContainer): readonly Type[] {
  return [...modules.values()].flatMap(({ controllers }) =>
    [...controllers.values()].flatMap(({ metatype }) =>
      typeof metatype === 'function' ? [metatype as Type] : [],
    ),
  );
}

function cached<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Global, because a guard named by class is made anew in every module that uses it. */
function internalSecret(secret: string): DynamicModule {
  const provider = { provide: INTERNAL_SECRET, useValue: secret };
  return { module: SecretModule, global: true, providers: [provider], exports: [INTERNAL_SECRET] };
}

/** How a launcher learns the port: a line on stdout, a message over IPC, a file. */
async function announce(
  app: NestFastifyApplication,
  { name, config }: CreateServiceOptions,
  log: Log,
): Promise<{ port: number; url: string }> {
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : config.PORT;
  const host = config.HOST ?? '127.0.0.1';
  const url = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  log.info({ port, url, service: name }, 'listening');
  if (config.PORT_FILE !== undefined) await writeFile(config.PORT_FILE, String(port));
  if (process.send !== undefined) process.send({ listening: port });
  return { port, url };
}

/** First nothing new comes in, then the jobs in hand end while their databases are still there, then the rest. */
async function closeAll(
  app: NestFastifyApplication,
  { contexts, closeLast = [] }: CreateServiceOptions,
  log: Log,
): Promise<void> {
  const queues = new Set(contexts.map((context) => context.sharedQueue));
  const steps = [
    () => closeListener(app),
    ...contexts.map((context) => () => context.quiesce()),
    ...[...queues].map((queue) => () => queue.close()),
    ...contexts.map((context) => () => context.stop()),
    ...closeLast,
  ];
  for (const step of steps) {
    await step().catch((error: unknown) => log.error({ err: error }, 'closing failed; going on'));
  }
}

/**
 * Answers on their way get some time. Fastify closes once what is idle: a connection that was in use just then, or that
 * its client opened and never used, would hold up the end for more than a minute.
 */
async function closeListener(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const again = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const enough = setTimeout(() => server.closeAllConnections(), ANSWERED_WITHIN_MS);
  await app.close().finally(() => {
    clearInterval(again);
    clearTimeout(enough);
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
