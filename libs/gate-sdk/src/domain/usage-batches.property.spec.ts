import { fromMillis } from '@tallygate/kernel';
import fc from 'fast-check';
import { usageBatches } from './usage-batches';
import { usageEvent } from './usage-event';

const event = (id: string, note: string) =>
  usageEvent({ source: 'g', id, type: 't', subject: 's', at: fromMillis(0), data: { note } });

describe('batches of usage', () => {
  it('carry every event once, in order, and are no larger than allowed but for a single large event', () => {
    const notes = fc.array(fc.string({ maxLength: 400 }), { maxLength: 40 });
    fc.assert(
      fc.property(notes, fc.integer({ min: 200, max: 2_000 }), (texts, most) => {
        const events = texts.map((note, at) => event(String(at), note));
        const batches = usageBatches(events, most);
        expect(batches.flatMap(({ body }) => JSON.parse(body) as unknown[])).toEqual(events);
        for (const { body, count } of batches) {
          expect(count).toBeGreaterThan(0);
          if (count > 1) expect(body.length).toBeLessThanOrEqual(most + count + 1);
        }
      }),
    );
  });
});
