import { join } from 'node:path';
import type { ServiceName } from '../scenario/stack';
import { GATE_CREDENTIAL, INTERNAL_SECRET, ROLE_SECRET, ROOT_KEY, WEBHOOK_SECRET } from './settings';

export type ProcessName = ServiceName | 'ledger-2' | 'sandbox' | 'gate';

export interface StackServers {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly redisUrl: string;
  readonly smtpUrl: string;
  /** For logs and records of this stack. */
  readonly dir: string;
  /** An answer that the OpenAPI document does not foresee becomes a 500. */
  readonly checkAnswers: boolean;
}

/** Who listens where. */
export interface StackPlan extends StackServers {
  readonly ports: Readonly<Record<ProcessName | 'feed' | 'ext_authz', number>>;
  readonly urls: Readonly<Record<ProcessName, string>>;
}

const PROCESSES: readonly ProcessName[] = [
  'ingestion',
  'ledger',
  'ledger-2',
  'billing',
  'dunning',
  'notifier',
  'entitlement',
  'sandbox',
  'gate',
];

export async function planStack(servers: StackServers, freePort: () => Promise<number>): Promise<StackPlan> {
  const ports = {} as Record<ProcessName | 'feed' | 'ext_authz', number>;
  for (const name of [...PROCESSES, 'feed', 'ext_authz'] as const) ports[name] = await freePort();
  const urls = Object.fromEntries(PROCESSES.map((name) => [name, `http://127.0.0.1:${ports[name]}`]));
  return { ...servers, ports, urls: urls as StackPlan['urls'] };
}

/** The whole environment of one process of the stack. */
export function environmentOf(name: ProcessName, plan: StackPlan): Readonly<Record<string, string>> {
  const own = OWN[name](plan);
  if (name === 'sandbox' || name === 'gate') return { PORT: String(plan.ports[name]), ...own };
  return { ...platformOf(name, plan), ...own };
}

function platformOf(name: ProcessName, plan: StackPlan): Record<string, string> {
  return {
    PORT: String(plan.ports[name]),
    LOG_LEVEL: 'warn',
    DATABASE_URL: plan.databaseUrl,
    DATABASE_ROLE_SECRET: ROLE_SECRET,
    INTERNAL_SECRET,
    ROOT_KEY,
    KAFKA_BROKERS: plan.brokers.join(','),
    REDIS_URL: plan.redisUrl,
    BILLING_URL: plan.urls.billing,
    LEDGER_URL: plan.urls.ledger,
    DUNNING_URL: plan.urls.dunning,
    CHECK_ANSWERS: String(plan.checkAnswers),
  };
}

const CLOCK_PEERS: readonly ProcessName[] = [
  'ingestion',
  'ledger',
  'dunning',
  'notifier',
  'entitlement',
  'sandbox',
  'gate',
];

/** Slices make much garbage that dies young: with a larger nursery the collector runs less often. */
const NURSERY = '--max-semi-space-size=32';

/** What only one of them needs. */
const OWN: Readonly<Record<ProcessName, (plan: StackPlan) => Record<string, string>>> = {
  ingestion: () => ({ NODE_OPTIONS: NURSERY }),
  ledger: () => ({ NODE_OPTIONS: NURSERY }),
  'ledger-2': () => ({ NODE_OPTIONS: NURSERY }),
  billing: (plan) => ({ CLOCK_PEERS: CLOCK_PEERS.map((name) => `${name}=${plan.urls[name]}`).join(',') }),
  dunning: (plan) => ({ SANDBOX_URL: plan.urls.sandbox, SANDBOX_WEBHOOK_SECRET: WEBHOOK_SECRET }),
  notifier: (plan) => ({ SMTP_URL: plan.smtpUrl, MAIL_FROM: 'billing@tallygate.example' }),
  entitlement: (plan) => ({ GRPC_PORT: String(plan.ports.feed), GATE_SECRET: GATE_CREDENTIAL }),
  sandbox: (plan) => ({
    SANDBOX_JOURNAL: join(plan.dir, 'provider.jsonl'),
    SANDBOX_WEBHOOK_SECRET: WEBHOOK_SECRET,
    SANDBOX_WEBHOOK_URL: `${plan.urls.dunning}/v1/providers/sandbox/webhooks`,
  }),
  gate: (plan) => ({
    ENTITLEMENT_URL: plan.urls.entitlement,
    ENTITLEMENT_GRPC_URL: `127.0.0.1:${plan.ports.feed}`,
    GATE_ID: 'gate-1',
    GATE_GRPC_PORT: String(plan.ports.ext_authz),
    INTERNAL_SECRET,
    // A busy machine must not turn an unknown key into a 503.
    LIVE_CHECK_MS: '2000',
    USAGE: 'kafka',
    KAFKA_BROKERS: plan.brokers.join(','),
    GATE_CREDENTIAL,
    DISK_COPY: join(plan.dir, 'gate-copy.json'),
  }),
};
