import { restMs } from './usage-rollup-loop';

describe('the roll-up of usage rests', () => {
  it('much longer than it worked while usage comes in', () => {
    expect(restMs(300, true, true)).toBe(2_700);
  });

  it('as long as it worked while it only catches up', () => {
    expect(restMs(300, true, false)).toBe(300);
  });

  it('for seconds when nothing is left', () => {
    expect([restMs(3, false, false), restMs(3, false, true), restMs(900, false, true)]).toEqual([
      5_000, 5_000, 8_100,
    ]);
  });
});
