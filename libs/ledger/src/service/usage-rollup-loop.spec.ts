import { restMs } from './usage-rollup-loop';

describe('the roll-up of usage rests', () => {
  it('much longer than it worked while usage comes in', () => {
    expect(restMs(300, 1_000, true)).toBe(2_700);
  });

  it('as long as it worked while it only catches up', () => {
    expect(restMs(300, 1_000, false)).toBe(300);
  });

  it('for seconds when nothing is left', () => {
    expect([restMs(3, 0, false), restMs(3, 0, true), restMs(900, 0, true)]).toEqual([5_000, 5_000, 8_100]);
  });
});
