import { join } from 'node:path';

/** Compiled main modules: beside this one under dist/, also when this one runs from its source. */
const root = join(__dirname, '../../../..');
const dist = __filename.endsWith('.ts') ? join(root, 'dist') : root;
export const mainOf = (app: string): string => join(dist, 'apps', app, 'src/main.js');
/** Loaded before a service's main module: chaos/stop-point.ts. */
export const STOP_POINT_MODULE = join(dist, 'libs/testing/src/chaos/stop-point.js');
export const STANDALONE_MAIN = mainOf('standalone');

/** Secrets of stacks that live for one run on the loopback interface. */
export const ROOT_KEY = 'root-key-of-a-local-stack';
export const INTERNAL_SECRET = 'internal-secret-of-a-local-stack';
export const ROLE_SECRET = 'role-secret-of-a-local-stack';
export const WEBHOOK_SECRET = 'whsec_bG9jYWwtc3RhY2std2ViaG9vay1zZWNyZXQ=';
export const GATE_CREDENTIAL = 'gate-credential-of-a-local-stack';
