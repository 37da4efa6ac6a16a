import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { proxyConfigs } from '../test/proxy-configs';
import { startEnvoy } from './envoy';
import { MissingServerError } from './errors';
import { missingServers } from './executables';
import { startKafka } from './kafka';

describe('A server that is not installed', () => {
  let cache: string;
  const before = process.env['TALLYGATE_CACHE_DIR'];

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'tallygate-cache-'));
    process.env['TALLYGATE_CACHE_DIR'] = cache;
  });

  afterEach(async () => {
    if (before === undefined) delete process.env['TALLYGATE_CACHE_DIR'];
    else process.env['TALLYGATE_CACHE_DIR'] = before;
    await rm(cache, { recursive: true });
  });

  it('is named with the places looked at and the command that installs it', async () => {
    await expect(startKafka()).rejects.toThrow(MissingServerError);
    await expect(startKafka()).rejects.toThrow(
      `kafka is not installed. Looked in: ${cache}/kafka/kafka_2.13-*.jar. Install it with: infra/local/install`,
    );
    await expect(startEnvoy({ config: proxyConfigs.envoy(9) })).rejects.toThrow(
      `Looked in: ${cache}/envoy/envoy`,
    );
  });

  it('is listed', async () => {
    const missing = await missingServers();
    expect(missing.map(({ name }) => name)).toEqual(expect.arrayContaining(['kafka', 'envoy']));
    expect(missing.find(({ name }) => name === 'envoy')).toMatchObject({
      lookedIn: expect.arrayContaining([`${cache}/envoy/envoy`]) as string[],
      install: 'infra/local/install',
    });
  });
});

it('PostgreSQL comes with the npm packages', async () => {
  expect((await missingServers()).map(({ name }) => name)).not.toContain('postgres');
});
