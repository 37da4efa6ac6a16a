import { SeededRandom } from '../load/seeded-random';
import { VICTIMS, anyFault, inTurn } from './kill-plan';
import type { Fault } from './kill-plan';

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
      const plan = anyFault(new SeededRandom(seed));
      return Array.from({ length: 20 }, () => plan.next().value);
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it('at random kills one or two, never one twice at once, pauses each, and ends connections', () => {
    const plan = anyFault(new SeededRandom(3));
    const kills = new Set<number>();
    const paused = new Set<string>();
    let [atPoint, terminations] = [0, 0];
    for (let count = 0; count < 400; count += 1) {
      const fault = plan.next().value as Fault;
      if (fault.fault === 'kill') {
        expect(new Set(fault.victims).size).toBe(fault.victims.length);
        kills.add(fault.victims.length);
      } else if (fault.fault === 'terminate') terminations += 1;
      else if (fault.atPoint) atPoint += 1;
      else paused.add(fault.victim);
    }
    expect([...kills].sort()).toEqual([1, 2]);
    expect([...paused].sort()).toEqual([...VICTIMS].sort());
    expect(Math.min(atPoint, terminations)).toBeGreaterThan(20);
  });
});
