import { Client } from 'pg';
import { startOwner, type Ending, type Owner } from '../test/owner';
import { proxyConfigs } from '../test/proxy-configs';
import { send } from './process-table';

const NOBODY_LISTENS = 9;

/** Every server there is, with the least it starts with. */
const SERVERS: [string, object][] = [
  ['startPostgres', {}],
  ['startKafka', {}],
  ['startRedis', {}],
  ['startNginx', { config: proxyConfigs.nginx(NOBODY_LISTENS) }],
  ['startCaddy', { caddyfile: proxyConfigs.caddy(NOBODY_LISTENS) }],
  ['startHaproxy', { config: proxyConfigs.haproxy(NOBODY_LISTENS) }],
  ['startEnvoy', { config: proxyConfigs.envoy(NOBODY_LISTENS) }],
];

describe('No process and no file is left', () => {
  let owner: Owner | undefined;

  afterEach(async () => {
    await owner?.dispose();
    owner = undefined;
  });

  describe.each(SERVERS)('of %s', (start, options) => {
    it('after stop', async () => {
      owner = await startOwner(start, options);
      owner.call('stop');
      expect(await owner.isAllGone()).toBe(true);
      expect(owner.process.exitCode).toBeNull();
    });

    it('after kill', async () => {
      owner = await startOwner(start, options);
      owner.call('kill');
      expect(await owner.isAllGone()).toBe(true);
      expect(owner.process.exitCode).toBeNull();
    });

    it('after kill -9 of the process that started it', async () => {
      owner = await startOwner(start, options);
      await owner.kill();
      expect(await owner.isAllGone()).toBe(true);
    });

    it('after kill -9 of the process that started it, when the server was stopped by SIGSTOP', async () => {
      owner = await startOwner(start, options);
      send(owner.serverPid, 'SIGSTOP');
      await owner.kill();
      expect(await owner.isAllGone()).toBe(true);
    });
  });

  it.each<[string, Ending]>([
    ['exits', 'exit'],
    ['fails with an uncaught error', 'throw'],
    ['has nothing more to do', 'finish'],
  ])('when the process that started it %s', async (_, ending) => {
    owner = await startOwner('startRedis', {}, ending);
    expect(await owner.isAllGone()).toBe(true);
  });

  it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'when the process that started it gets %s',
    async (signal) => {
      owner = await startOwner('startRedis');
      owner.process.kill(signal);
      expect(await owner.isAllGone()).toBe(true);
    },
  );

  it('of PostgreSQL in the middle of a query', async () => {
    owner = await startOwner('startPostgres');
    const client = new Client(owner.url);
    client.on('error', () => undefined);
    await client.connect();
    const endless = client.query('select count(*) from generate_series(1, 10000000000)').then(
      () => 'answered',
      () => 'broken',
    );
    await owner.kill();
    expect(await owner.isAllGone()).toBe(true);
    expect(await endless).toBe('broken');
    await client.end();
  });
});
