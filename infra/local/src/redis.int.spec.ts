import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { startRedis } from './redis';

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

describe('Redis', () => {
  it('answers PING and takes settings', async () => {
    const server = await startRedis({ settings: { maxmemory: '8mb' } });
    await withClient(server.url, async (client) => {
      expect(await client.ping()).toBe('PONG');
      expect(await client.config('GET', 'maxmemory')).toEqual(['maxmemory', '8388608']);
      expect(await client.config('GET', 'save')).toEqual(['save', '']);
    });
    await server.stop();
    await server.stop();
  });

  it('keeps its data in a folder when told to', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tallygate-data-'));
    const options = { dataDir, settings: { appendonly: 'yes', appendfsync: 'always' } };
    const first = await startRedis(options);
    await withClient(first.url, (client) => client.set('credit', '12'));
    await first.kill();
    const second = await startRedis({ ...options, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await withClient(second.url, (client) => client.get('credit'))).toBe('12');
    await second.stop();
    await rm(dataDir, { recursive: true });
  });

  it('refuses a taken port with the words of the server', async () => {
    const server = await startRedis();
    await expect(startRedis({ port: server.port })).rejects.toThrow(
      /redis ended .*before it was ready[^]*in use/,
    );
    await server.stop();
  });
});
