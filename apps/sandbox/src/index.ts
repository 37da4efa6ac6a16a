export { startSandbox } from './server';
export type { SandboxOptions, SandboxServer } from './server';
export { sandboxConfig } from './config';
