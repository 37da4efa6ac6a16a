import { instant } from '@tallygate/kernel';
import { SerialSweeper } from './serial-sweeper';
import type { Sweeper } from './tenant-time';

const now = instant(0);

/** A sweeper whose sweeps end when the test says so. */
class HeldSweeper implements Sweeper {
  readonly name = 'held';
  readonly running: (string | null)[] = [];
  private readonly ends: ((did: number) => void)[] = [];

  sweep(scope: string | null): Promise<number> {
    this.running.push(scope);
    return new Promise((resolve) => this.ends.push(resolve));
  }

  nextDue(): Promise<null> {
    return Promise.resolve(null);
  }

  end(did: number): void {
    this.ends.shift()?.(did);
  }
}

describe('SerialSweeper', () => {
  it('makes a tenant wait for the sweep over all tenants, and tells of what that did', async () => {
    const held = new HeldSweeper();
    let told = 0;
    const sweeper = new SerialSweeper(held, () => (told += 1));
    const common = sweeper.sweep(null, now);
    const own = sweeper.sweep('tenant', now);
    await Promise.resolve();
    expect(held.running).toEqual([null]);
    held.end(3);
    expect(await common).toBe(3);
    expect(told).toBe(1);
    await Promise.resolve();
    held.end(0);
    expect(await own).toBe(0);
    expect(held.running).toEqual([null, 'tenant']);
  });

  it('goes on after a sweep that failed, and tells nothing of a tenant of its own', async () => {
    const failing: Sweeper = {
      name: 'failing',
      sweep: (scope) => (scope === null ? Promise.reject(new Error('no')) : Promise.resolve(2)),
      nextDue: () => Promise.resolve(null),
    };
    let told = 0;
    const sweeper = new SerialSweeper(failing, () => (told += 1));
    await expect(sweeper.sweep(null, now)).rejects.toThrow('no');
    expect(await sweeper.sweep('tenant', now)).toBe(2);
    expect(told).toBe(0);
  });
});
