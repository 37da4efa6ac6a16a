import * as fc from 'fast-check';
import { addMicros, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { stepsDue } from './generation';
import type { Generation } from './generation';

const WINDOW = 35 * MICROS.day;
const START = 1_700_000_000_000_000 as Instant;

/** Does what is due, as the database would. */
function take(generations: readonly Generation[], now: Instant): Generation[] {
  let after = [...generations];
  const change = (which: number, fields: Partial<Generation>): void => {
    after = after.map((one) => (one.generation === which ? { ...one, ...fields } : one));
  };
  for (const due of stepsDue(generations, now, WINDOW)) {
    if (due.step === 'date') change(due.generation, { openedAt: now });
    else if (due.step === 'create')
      after.push({ generation: due.generation, state: 'ahead', openedAt: null, closedAt: null });
    else if (due.step === 'keep') change(due.generation, { state: 'kept' });
    else {
      change(due.closes, { state: 'recent', closedAt: now });
      change(due.generation, { state: 'current', openedAt: now });
    }
  }
  return after;
}

describe('generations of the usage record', () => {
  it('find an identity for a whole window after it came, whenever the maintenance runs, in two at most', () => {
    const pauses = fc.array(fc.integer({ min: 1, max: 40 * 24 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(pauses, (hours) => {
        let now = START;
        let generations: Generation[] = [{ generation: 1, state: 'current', openedAt: null, closedAt: null }];
        const arrivals: { at: Instant; generation: number }[] = [];
        for (const pause of hours) {
          now = addMicros(now, pause * MICROS.hour);
          generations = take(generations, now);
          const lookedUp = generations.filter(({ state }) => state === 'current' || state === 'recent');
          expect(lookedUp.length).toBeLessThanOrEqual(2);
          const found = new Set(lookedUp.map((one) => one.generation));
          for (const { at, generation } of arrivals)
            if (now - at <= WINDOW) expect(found).toContain(generation);
          const current = generations.find(({ state }) => state === 'current');
          arrivals.push({ at: now, generation: current?.generation ?? 0 });
        }
      }),
    );
  });
});
