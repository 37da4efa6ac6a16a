import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { SystemClock, addMicros, formatInstant, MICROS } from '@tallygate/kernel';
import { entitlementProvisioning } from '@tallygate/entitlement';
import { createTestDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { GateClient } from './gate-client';
import type { GateOptions } from './gate-client';
import { TENANT } from './testing/sample';
import { GATE_KEY, GATE_SECRET, RealService } from './testing/real-service';

let server: PostgresServer;
let database: TestDatabase;
let service: RealService;
let dir: string;
const gates: GateClient[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tallygate-sdk-'));
  database = await createTestDatabase(server, [entitlementProvisioning]);
  service = await RealService.start(database);
  await service.introduce();
});
afterEach(async () => {
  await Promise.all(gates.splice(0).map((gate) => gate.close()));
  await service?.stop();
  await database?.drop();
  await rm(dir, { recursive: true, force: true });
});

async function open(options: Partial<GateOptions> = {}): Promise<GateClient> {
  const gate = await GateClient.start({ gateId: 'g1', credential: GATE_KEY, liveCheckMs: 2_000, ...options });
  gates.push(gate);
  return gate;
}

const ask = (credential = 'secret') => ({ credential, features: ['completions'] });
const reasonAt = async (gate: GateClient, credential?: string) =>
  (await gate.authorize(ask(credential))).reason;

describe.each([
  ['gRPC', () => ({ grpcUrl: service.grpcUrl })],
  ['HTTP', () => ({ url: service.url })],
])('a gate that follows the service over %s', (_, address) => {
  const follow = async (options: Partial<GateOptions> = {}): Promise<GateClient> => {
    const gate = await open({ ...address(), ...options });
    await gate.until(({ up }) => up);
    return gate;
  };

  it('decides from its copy, and holds what the service holds', async () => {
    const gate = await follow();
    expect(await reasonAt(gate)).toBe('ok');
    await service.balance('0');
    await gate.until(() => gate.preflight(ask()) !== null && reasonOf(gate) === 'credit_exhausted');
    await service.balance('5');
    await gate.until(() => reasonOf(gate) === 'ok');
    await service.propagated();
    expect(service.gates.list(TENANT)).toMatchObject([{ gate: 'g1', lag: 0, digestEqual: true }]);
  });

  it('starts from a snapshot that is newer than what its process has read', async () => {
    const other = await RealService.start(database);
    await other.introduce();
    for (let credit = 1; credit <= 5; credit += 1) {
      await other.balance(String(credit));
      const gate = await follow({ gateId: `g${credit}` });
      await service.propagated();
      expect(gate.status().drifts).toBe(0);
    }
    await other.stop();
  });

  it('asks about a key it does not hold: unknown keys are 401', async () => {
    const gate = await follow();
    expect(await reasonAt(gate, 'made up')).toBe('credential_unknown');
    expect(gate.status().liveChecks).toEqual({ asked: 1, unanswered: 0 });
    await service.credentials('secret', 'made up');
    await gate.until(() => reasonOf(gate, 'made up') === 'ok');
  });

  it('sees every tenant with the installation’s credential, one with a tenant’s key', async () => {
    const gate = await follow({ credential: GATE_SECRET, gateId: 'g2' });
    const verdict = await gate.authorize({ ...ask(), tenantId: TENANT });
    expect(verdict.reason).toBe('ok');
  });

  it('comes back by itself, and goes on where it was', async () => {
    const gate = await follow();
    const [http, grpc] = [service.url, service.grpcUrl].map((url) => Number(url.split(':').at(-1)));
    await service.stop();
    await gate.until(({ up }) => !up);
    expect(await reasonAt(gate)).toBe('ok');
    service = await RealService.start(database, { http: http ?? 0, grpc: grpc ?? 0 });
    await gate.until(({ up }) => up);
    expect(gate.status().drifts).toBe(0);
  });
});

/** What a known key gets, at once. */
function reasonOf(gate: GateClient, credential?: string): string {
  const verdict = gate.preflight(ask(credential));
  return 'then' in verdict ? 'asking' : verdict.reason;
}

describe('without gRPC', () => {
  it('falls back to HTTP', async () => {
    const gate = await open({ grpcUrl: '127.0.0.1:1', url: service.url });
    await gate.until(({ up }) => up);
    expect(await reasonAt(gate)).toBe('ok');
  });

  it('never decides for a credential that may not follow', async () => {
    const gate = await open({ grpcUrl: service.grpcUrl, credential: `tg_test_${'z'.repeat(40)}` });
    expect(await reasonAt(gate)).toBe('entitlement_unavailable');
  });
});

describe('a copy on disk', () => {
  const path = () => join(dir, 'copy.jsonl');

  async function kept(): Promise<void> {
    const gate = await open({ grpcUrl: service.grpcUrl, diskCopy: path() });
    await gate.until(({ up }) => up);
    await service.balance('0');
    await gate.until(() => reasonOf(gate) === 'credit_exhausted');
    await gate.close();
    gates.splice(0);
  }

  it('lets a gate decide without the service, and go on from there', async () => {
    await kept();
    const alone = await open({ grpcUrl: '127.0.0.1:1', diskCopy: path() });
    expect(await reasonAt(alone)).toBe('credit_exhausted');
    expect(alone.status()).toMatchObject({ up: false, entries: 4 });
  });

  it('is as old as it says: beyond a minute it gives way to the fail mode', async () => {
    await kept();
    const old = formatInstant(addMicros(new SystemClock().now(), -61 * MICROS.second));
    await writeFile(`${path()}.proven`, old);
    expect(await reasonAt(await open({ grpcUrl: '127.0.0.1:1', diskCopy: path() }))).toBe(
      'entitlement_stale',
    );
  });

  it('is left out when it is not whole', async () => {
    await kept();
    const whole = await readFile(path(), 'utf8');
    await writeFile(path(), whole.replace('"version":1', '"version":999'));
    const gate = await open({ grpcUrl: '127.0.0.1:1', diskCopy: path() });
    expect(await reasonAt(gate)).toBe('entitlement_unavailable');
  });

  it('goes on after a torn end', async () => {
    await kept();
    const whole = await readFile(path(), 'utf8');
    await writeFile(path(), `${whole}{"put":{"tenantId":"`);
    const gate = await open({ grpcUrl: service.grpcUrl, diskCopy: path() });
    expect(await reasonAt(gate)).toBe('credit_exhausted');
    await gate.until(({ up }) => up);
    expect(gate.status().drifts).toBe(0);
  });
});
