import { instant, ManualClock } from '@tallygate/kernel';
import { Signal } from '../flow/signal';
import { silentLog } from '../telemetry/log';
import { SweepRunner } from './sweep-runner';
import type { Sweeper } from './tenant-time';

const clock = new ManualClock(instant(1_800_000_000_000_000));

function sweeper(name: string, sweep: () => Promise<number>): Sweeper {
  return { name, sweep, nextDue: async () => null };
}

function setup(everyMs = 5) {
  const swept: string[] = [];
  const failed: string[] = [];
  const changed = new Signal();
  const observer = {
    swept: (name: string, count: number) => {
      swept.push(`${name} ${count}`);
      changed.raise();
    },
    failed: (name: string) => {
      failed.push(name);
      changed.raise();
    },
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await changed.next();
  };
  return { runner: new SweepRunner(clock, silentLog, observer, everyMs), swept, failed, until };
}

describe('the sweep runner', () => {
  it('sweeps again at once while something is due, without waiting for the next second', async () => {
    const { runner, swept, until } = setup(60_000);
    const due = [3, 2, 0];
    runner.add(sweeper('s', async () => due.shift() ?? 0));
    runner.start();
    await until(() => swept.length === 3);
    await runner.stop();
    expect(swept).toEqual(['s 3', 's 2', 's 0']);
  });

  it('counts a failure and goes on, and lets no failing sweeper hold up another', async () => {
    const { runner, swept, failed, until } = setup();
    runner.add(sweeper('bad', () => Promise.reject(new Error('no database'))));
    runner.add(sweeper('good', async () => 0));
    runner.start();
    await until(() => failed.length >= 3 && swept.length >= 3);
    await runner.stop();
    expect(new Set(failed)).toEqual(new Set(['bad']));
    expect(new Set(swept)).toEqual(new Set(['good 0']));
  });

  it('never overlaps a sweeper with itself, and stops after the sweep in hand', async () => {
    const { runner, swept, until } = setup();
    let open = 0;
    let most = 0;
    runner.add(
      sweeper('slow', async () => {
        most = Math.max(most, (open += 1));
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return 1;
      }),
    );
    runner.start();
    await until(() => swept.length >= 5);
    await runner.stop();
    expect([open, most]).toEqual([0, 1]);
    const after = swept.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(swept).toHaveLength(after);
  });

  it('takes a sweeper that comes later', async () => {
    const { runner, swept, until } = setup();
    runner.start();
    runner.add(sweeper('late', async () => 0));
    await until(() => swept.length > 0);
    await runner.stop();
  });
});
