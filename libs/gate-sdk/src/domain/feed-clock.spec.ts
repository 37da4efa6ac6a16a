import { MICROS, addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { FeedClock } from './feed-clock';

const LOCAL = 1_770_000_000_000_000 as Instant;
const later = (micros: number): Instant => addMicros(LOCAL, micros);

describe('the clock of a feed', () => {
  it('follows the server’s time, by the bookmark that was least on its way', () => {
    const clock = new FeedClock();
    clock.bookmark(later(0), addMicros(LOCAL, 3 * MICROS.second - 900));
    clock.bookmark(later(MICROS.second), addMicros(LOCAL, 4 * MICROS.second - 20));
    clock.bookmark(later(2 * MICROS.second), addMicros(LOCAL, 5 * MICROS.second - 700));
    expect(clock.now(later(2 * MICROS.second))).toBe(addMicros(LOCAL, 5 * MICROS.second - 20));
  });

  it('follows a server whose clock was set back', () => {
    const clock = new FeedClock();
    clock.bookmark(LOCAL, addMicros(LOCAL, MICROS.hour));
    for (let second = 1; second <= 15; second += 1) {
      clock.bookmark(later(second * MICROS.second), later(second * MICROS.second));
    }
    expect(clock.now(later(15 * MICROS.second))).toBe(later(15 * MICROS.second));
  });

  it('tells the age of what is known, never less than nothing', () => {
    const clock = new FeedClock();
    expect(clock.age(LOCAL)).toBeNull();
    clock.bookmark(LOCAL, LOCAL);
    expect(clock.age(later(5 * MICROS.second))).toBe(5 * MICROS.second);
    expect(clock.age(later(-1))).toBe(0);
    clock.heard(later(5 * MICROS.second));
    expect(clock.age(later(5 * MICROS.second))).toBe(0);
  });

  it('takes a copy’s word only while the feed has not been heard', () => {
    const clock = new FeedClock();
    clock.restored(later(-MICROS.minute));
    expect(clock.age(LOCAL)).toBe(MICROS.minute);
    clock.heard(LOCAL);
    clock.restored(later(-MICROS.minute));
    expect(clock.age(LOCAL)).toBe(0);
  });
});
