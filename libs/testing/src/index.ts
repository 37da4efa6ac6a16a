export { InvalidScenario, parseScenario } from './scenario/document';
export { readScenarios, runScenarios } from './scenario/run-files';
export { runScenario, type ScenarioResult } from './scenario/run-scenario';
export { callHttp, Session, type Answer } from './scenario/session';
export { type GateName, type ServiceName, Stack } from './scenario/stack';
export { EmbeddedStack, type EmbeddedStackOptions } from './stack/embedded-stack';
export { RealStack } from './stack/real-stack';
