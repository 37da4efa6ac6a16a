import { SeededRandom } from '../load/seeded-random';
import { VICTIMS, atRandom, inTurn } from './kill-plan';

describe('The plan of kills', () => {
  it('kills every process as often as there are rounds, each round all of them', () => {
    const plan = inTurn(5, new SeededRandom(7));
    expect(plan).toHaveLength(5 * VICTIMS.length);
    for (let round = 0; round < 5; round += 1) {
      const killed = plan.slice(round * VICTIMS.length, (round + 1) * VICTIMS.length);
      expect(killed.flatMap(({ victims }) => victims).sort()).toEqual([...VICTIMS].sort());
    }
  });

  it('is the same for the same seed, and another for another', () => {
    const first = (seed: number) => {
      const plan = atRandom(new SeededRandom(seed));
      return Array.from({ length: 20 }, () => plan.next().value);
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it('at random kills one or two, never one twice at once', () => {
    const plan = atRandom(new SeededRandom(3));
    const sizes = new Set<number>();
    for (let kill = 0; kill < 200; kill += 1) {
      const victims = plan.next().value?.victims ?? [];
      expect(new Set(victims).size).toBe(victims.length);
      sizes.add(victims.length);
    }
    expect([...sizes].sort()).toEqual([1, 2]);
  });
});
