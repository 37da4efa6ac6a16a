import { addMicros, fromMillis, ManualClock, MICROS, SequentialIds } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { ClockPeer, ClockPeers, TestClockStore } from './test-clock.ports';
import { TestClock } from './test-clock.service';

const START = fromMillis(0);
const DUE = addMicros(START, MICROS.day);
const TARGET = addMicros(START, 2 * MICROS.day);

class OneClock extends TestClockStore {
  private at = START;

  override start = () => Promise.resolve();
  override now = () => Promise.resolve(this.at);
  override claim = () => Promise.resolve(true);
  override release = () => Promise.resolve();
  override move(_tenant: string, _mover: string, now: Instant): Promise<boolean> {
    this.at = now;
    return Promise.resolve(true);
  }
}

/** Has one thing due; at every instant it settles at, it looks what time it is for the other. */
class Watching extends ClockPeer {
  now = START;
  other: Watching | null = null;
  readonly sawOtherLate: Instant[] = [];
  private activity = 0;

  constructor(
    readonly name: string,
    private readonly turns: number,
  ) {
    super();
  }

  override async arrive(_tenant: string, now: Instant): Promise<void> {
    for (let turn = 0; turn < this.turns; turn += 1) await Promise.resolve();
    this.now = now;
  }

  override async settle(tenantId: string, now: Instant): Promise<{ readonly activity: number }> {
    if (this.now < now) await this.arrive(tenantId, now);
    if (this.other !== null && this.other.now < now) this.sawOtherLate.push(now);
    if (now === DUE) this.activity = 1;
    return { activity: this.activity };
  }

  override nextDue = (_tenant: string, after: Instant) => Promise.resolve(after < DUE ? DUE : null);
}

it('lets no service act at an instant before every other one knows it', async () => {
  const quick = new Watching('quick', 0);
  const slow = new Watching('slow', 100);
  quick.other = slow;
  const clock = new TestClock(
    new OneClock(),
    new (class extends ClockPeers {
      override all = () => [quick, slow];
    })(),
    new ManualClock(START),
    new SequentialIds(Date.now, (bytes) => new Uint8Array(bytes)),
  );
  expect(await clock.advance('tenant', TARGET)).toEqual({ ok: true, value: { now: TARGET, visited: 2 } });
  expect(quick.sawOtherLate).toEqual([]);
  expect([quick.now, slow.now]).toEqual([TARGET, TARGET]);
});
