import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port';
import type { LocalServer } from './local-server';
import { startNodeService } from './node-service';
import { isAlive } from './process-table';

describe('A service of ours', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'tallygate-service-'))));
  afterEach(() => rm(dir, { recursive: true }));

  const start = async (greeting: string): Promise<LocalServer> => {
    const port = await freePort();
    return startNodeService({
      name: 'hello',
      script: join(__dirname, '..', 'test', 'hello-service.cjs'),
      env: { PORT: String(port), GREETING: greeting },
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      logFile: join(dir, 'logs', 'hello.log'),
    });
  };

  it('is waited for until it says it is ready, and sees nothing of our environment', async () => {
    process.env['SECRET_OF_THE_PARENT'] = 'x';
    const service = await start('world');
    delete process.env['SECRET_OF_THE_PARENT'];
    expect(await readFile(join(dir, 'logs', 'hello.log'), 'utf8')).toBe(
      'hello world, home of secrets: none\n',
    );
    await service.stop();
    expect(isAlive(service.pid)).toBe(false);
  });

  it('can be killed', async () => {
    const service = await start('world');
    await service.kill();
    expect(isAlive(service.pid)).toBe(false);
  });

  it('that fails at once shows why', async () => {
    await expect(start('nobody')).rejects.toThrow(
      /hello ended with code 1 before it was ready[^]*nobody to greet/,
    );
  });
});
