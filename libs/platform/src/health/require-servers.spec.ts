import { silentLog } from '../telemetry/log';
import { MissingServers, requireServers } from './require-servers';

const server = (name: string, check: () => Promise<unknown>) => ({
  name,
  where: `${name}:1`,
  start: `start ${name}`,
  check,
});
const refused = () => Promise.reject(new Error('refused'));

describe('servers that a process needs', () => {
  it('are waited for', async () => {
    let asked = 0;
    const late = server('late', () => ((asked += 1) < 2 ? refused() : Promise.resolve()));
    await requireServers([late], silentLog, 5_000);
    expect(asked).toBe(2);
  });

  it('are named when they do not come, those that hang too', async () => {
    const servers = [
      server('there', () => Promise.resolve()),
      server('refusing', refused),
      server('hanging', () => new Promise(() => undefined)),
    ];
    const failure = await requireServers(servers, silentLog, 50).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MissingServers);
    expect((failure as MissingServers).missing).toEqual([
      { name: 'refusing', where: 'refusing:1', start: 'start refusing', problem: 'refused' },
      {
        name: 'hanging',
        where: 'hanging:1',
        start: 'start hanging',
        problem: 'hanging took longer than 50 ms',
      },
    ]);
  });
});
