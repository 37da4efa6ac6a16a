import { isUuid } from '@tallygate/kernel';
import { DecisionIds } from './decision-ids';

describe('ids of decisions', () => {
  it('are UUIDs of version 7 in the order of their making, each only once', () => {
    let millis = 1_770_000_000_000;
    const ids = new DecisionIds(() => millis, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
    const made = Array.from({ length: 10_000 }, (_, n) => {
      if (n % 3_000 === 0) millis += n % 2_000 === 0 ? 1 : -5;
      return ids.next();
    });
    expect(made.every((id) => isUuid(id) && id[14] === '7')).toBe(true);
    expect(new Set(made).size).toBe(made.length);
    expect([...made].sort()).toEqual(made);
  });

  it('of two processes differ', () => {
    const of = (random: number) => new DecisionIds(() => 1, new Uint8Array(8).fill(random)).next();
    expect(of(1)).not.toBe(of(2));
    expect(of(1)).toBe('00000000-0001-7000-8101-010101010101');
  });
});
