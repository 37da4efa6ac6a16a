import Redis from 'ioredis';
import { startRedis } from './redis';

describe('Redis', () => {
  it('answers PING and stops', async () => {
    console.time('start');
    const server = await startRedis();
    console.timeEnd('start');
    const client = new Redis(server.url);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    console.time('stop');
    await server.stop();
    console.timeEnd('stop');
  });
});
