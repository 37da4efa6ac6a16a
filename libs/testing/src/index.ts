export { CLIENT_TABLES, OFFSET_WATCH, brokenLaws, brokenWatchLaws } from './chaos/laws';
export {
  caddyConfig,
  envoyGrpcConfig,
  envoyHttpConfig,
  nginxConfig,
  type GatewaySetup,
} from './gateways/gateway-configs';
export { runChaos, type ChaosOptions, type ChaosReport } from './chaos/run-chaos';
export { inParallel } from './load/in-parallel';
export { KafkaLag } from './load/kafka-lag';
export { LiveTenant, type LiveCustomer } from './load/live-tenant';
export { SeededRandom } from './load/seeded-random';
export { LOAD_CATALOG, PRICE_NANO, cloudEvent, type Usage } from './load/usage';
export { InvalidScenario, parseScenario } from './scenario/document';
export { readScenarios, runScenarios } from './scenario/run-files';
export { runScenario, type ScenarioResult } from './scenario/run-scenario';
export { callHttp, Session, type Answer } from './scenario/session';
export { type GateName, type ServiceName, Stack } from './scenario/stack';
export { EmbeddedStack, type EmbeddedStackOptions } from './stack/embedded-stack';
export { FRONT_GATEWAYS } from './stack/front-gateways';
export type { ProcessName } from './stack/plan';
export { RealStack, type RealStackOptions } from './stack/real-stack';
