import * as fc from 'fast-check';
import { SeededRandom } from './seeded-random';

describe('Seeded random numbers', () => {
  it('stay in [0, 1), and repeat with their seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [one, other] = [new SeededRandom(seed), new SeededRandom(seed)];
        for (let draw = 0; draw < 50; draw += 1) {
          const value = one.next();
          expect(value).toBe(other.next());
          expect(value >= 0 && value < 1).toBe(true);
        }
      }),
    );
  });

  it('shuffle without losing anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
        const shuffled = new SeededRandom(seed).shuffled(items);
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
  });
});
