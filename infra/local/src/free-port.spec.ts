import { createServer, type Server } from 'node:net';
import { ServerStartError } from './errors';
import { freePort, onFreePort } from './free-port';

const taken = (): ServerStartError => new ServerStartError('redis', 'ended', 'bind: Address already in use');
const broken = (): ServerStartError => new ServerStartError('redis', 'ended', 'unknown directive');

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe('A free port', () => {
  it('can be listened on, is outside the ephemeral range and is given once', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports).size).toBe(200);
    expect(ports.filter((port) => port < 15_000 || port >= 32_000)).toEqual([]);
    const server = await listenOn(ports[0] ?? 0);
    server.close();
  });
});

describe('A start on a free port', () => {
  it('is repeated on another port when somebody took the first', async () => {
    const tried: number[] = [];
    const port = await onFreePort(undefined, (each) => {
      tried.push(each);
      return tried.length < 3 ? Promise.reject(taken()) : Promise.resolve(each);
    });
    expect(new Set(tried).size).toBe(3);
    expect(port).toBe(tried[2]);
  });

  it.each([
    ['after four collisions', undefined, taken, 4],
    ['at once when the port was fixed by the caller', 7000, taken, 1],
    ['at once when it failed for another reason', undefined, broken, 1],
  ])('gives up %s', async (_, fixed, failure, expected) => {
    let attempts = 0;
    const start = onFreePort(fixed, () => {
      attempts += 1;
      return Promise.reject(failure());
    });
    await expect(start).rejects.toThrow(ServerStartError);
    expect(attempts).toBe(expected);
  });
});
