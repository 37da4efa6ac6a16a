export { ConfigError, describeProblem, loadConfig } from './config/config';
export type { ConfigProblem } from './config/config';
export { processEnvironment } from './config/environment';
export type { Environment } from './config/environment';
export { bootstrapOrExit } from './config/bootstrap-or-exit';
export type { Exit } from './config/bootstrap-or-exit';
export {
  count,
  databaseUrl,
  durationMs,
  flag,
  httpUrl,
  kafkaBrokers,
  kafkaConfig,
  logLevel,
  platformConfig,
  port,
  redisConfig,
  redisUrl,
  secret,
  url,
} from './config/fields';
export type { PlatformConfig } from './config/fields';

export { Database } from './postgres/database';
export type { Tx } from './postgres/database';
export { PgDatabase } from './postgres/pg-database';
export type { PgDatabaseOptions } from './postgres/pg-database';
export { provisionSchema } from './postgres/provision';
export type { ProvisionOptions, SchemaProvisioning } from './postgres/provision';
export { sqlMigration } from './postgres/migration';
export type { MigrationClass } from './postgres/migration';
export {
  bigints,
  booleans,
  instants,
  integers,
  jsonbs,
  numerics,
  smallints,
  texts,
  uuids,
} from './postgres/binary-arrays';
export { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from './postgres/instant-codec';
export { retrySerialization, sqlState } from './postgres/statement-error';
export type { StatementError } from './postgres/statement-error';
export { roleName, rolePassword, roleUrl } from './postgres/roles';
export { exactTypes } from './postgres/pg-types';

export { Outbox } from './outbox/outbox';
export type { OutboxRecord } from './outbox/outbox';
export { PgOutbox } from './outbox/pg-outbox';

export { EventBus } from './bus/event-bus';
export type {
  IncomingMessage,
  OutgoingMessage,
  RunningSubscription,
  Slice,
  Subscription,
} from './bus/event-bus';
export { InProcessEventBus } from './bus/in-process-event-bus';
export { KafkaEventBus } from './bus/kafka-event-bus';
export type { KafkaBusOptions } from './bus/kafka-event-bus';
export { PublishError } from './bus/publish-error';

export { JobQueue } from './queue/job-queue';
export type { Job, JobHandler } from './queue/job-queue';
export { BullJobQueue } from './queue/bull-job-queue';
export type { BullJobQueueOptions, QueueBackend } from './queue/bull-job-queue';
export { NoJobs } from './queue/no-jobs';
export { provisionQueue } from './queue/provision-queue';

export { ClockParticipant, TenantTime } from './time/tenant-time';
export type { Settleable, Sweeper } from './time/tenant-time';
export { PgTenantTime } from './time/pg-tenant-time';
export { SweepRunner } from './time/sweep-runner';
export type { SweepObserver } from './time/sweep-runner';
export { LocalClockParticipant } from './time/local-clock-participant';
export { subscribeCounted, TENANT_HEADER } from './time/subscribe-counted';

export { KeyDirectory, SCOPES } from './auth/principal';
export type { Principal, Scope } from './auth/principal';
export { apiKeyHint, generateApiKey, hashApiKey, sameSecret } from './auth/api-key';
export type { KeyMode } from './auth/api-key';
export {
  ApiKeyGuard,
  CurrentPrincipal,
  grants,
  principalOf,
  Public,
  RequireScope,
  RootOnly,
} from './auth/api-key-guard';
export type { Authenticated } from './auth/api-key-guard';
export { CachedKeyDirectory } from './auth/cached-key-directory';
export { HttpKeyDirectory } from './auth/http-key-directory';
export { INTERNAL_HEADER, InternalGuard } from './auth/internal-guard';
export { RootGuard } from './auth/root-guard';

export { invalid, problem, problemBody, ProblemException } from './http/problem';
export type { Fault, Problem } from './http/problem';
export { ProblemFilter } from './http/problem-filter';
export { storageProblem } from './http/storage-problem';
export { ZodBody, zodFaults } from './http/zod-faults';
export {
  BodyHash,
  bodyHash,
  IdempotencyKey,
  idempotencyKeyOf,
  replayOrRun,
  reusedKey,
  takesIdempotencyKey,
} from './http/idempotency';
export type { Answer, IdempotentRequest } from './http/idempotency';
export { wholeNumber } from './http/query';
export { BODY_LIMIT, readJsonBodies } from './http/body-parser';
export type { WithRawBody } from './http/body-parser';

export { Api, OneOfScopes, ONE_OF_SCOPES, Operation } from './openapi/operation';
export type { ApiTag, OperationContract } from './openapi/operation';
export { documentedRoutes, openApiDocument, undocumented } from './openapi/document';
export type { Audience, OpenApiDocument } from './openapi/document';

export { createLog, silentLog } from './telemetry/log';
export type { Log } from './telemetry/log';
export { counter, createMetrics, gauge } from './telemetry/metrics';
export { extractTrace, injectTrace, startTracing, withSpan } from './telemetry/tracing';

export { kafkaCheck, postgresQueueCheck, redisCheck } from './health/checks';
export { MissingServers } from './health/require-servers';
export { missingOf, whereOf } from './health/readiness';
export type { Missing, ReadinessCheck } from './health/readiness';

export { createServiceContext, ServiceContext } from './bootstrap/service-context';
export type { ServiceContextOptions } from './bootstrap/service-context';
export { PlatformModule } from './bootstrap/platform-module';
export { keysOfBilling, runKafkaService } from './bootstrap/run-kafka-service';
export type { KafkaServiceConfig, KafkaServiceOptions } from './bootstrap/run-kafka-service';
export { createService, PROCESS_CONTROLLERS } from './bootstrap/create-service';
export type { CreateServiceOptions, RunningService } from './bootstrap/create-service';

export { backoffMs } from './flow/backoff';
export { GroupCommit } from './flow/group-commit';
export { Pause, Signal } from './flow/signal';
export { TimeoutError, within } from './flow/timeout';

export { createTestDatabase, TEST_ROLE_SECRET } from './testing';
export type { Prepare, TestDatabase, TestServer } from './testing';
