import { restOf } from './event-bus';

describe('A reader at the end of its log', () => {
  it.each([
    { workedMs: 5, periodMs: 400, restMs: 10, how: 'twice what it worked when that was little' },
    { workedMs: 150, periodMs: 400, restMs: 250, how: 'until its period is over' },
    { workedMs: 400, periodMs: 400, restMs: 0, how: 'not at all when its period is over' },
    { workedMs: 900, periodMs: 400, restMs: 0, how: 'not at all when its period has been over for long' },
    { workedMs: 150, periodMs: 0, restMs: 0, how: 'not at all when it keeps no period' },
  ])('waits $how', ({ workedMs, periodMs, restMs }) => {
    expect(restOf(workedMs, periodMs)).toBe(restMs);
  });
});
