export * from './errors';
export { freePort } from './free-port';
export { startKafka, type KafkaOptions, type KafkaServer } from './kafka';
export type { LocalServer } from './local-server';
export { missingServers } from './executables';
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres';
export { startRedis, type RedisOptions, type RedisServer } from './redis';
