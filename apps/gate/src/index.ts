export { startGate } from './gate';
export type { RunningGate, StartGate } from './gate';
export { routesSchema } from './http/route';
export type { Route } from './http/route';
export { KafkaUsageSink } from './kafka/kafka-usage-sink';
export { proxyRoutes } from './config';
