import fc from 'fast-check';
import { usageLane } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { pack } from './bus-usage-publisher';

const event = fc.record({
  tenantId: fc.constantFrom('t1', 't2'),
  customerId: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
  id: fc.string({ unit: 'grapheme', maxLength: 40 }),
}) as unknown as fc.Arbitrary<MeteredEvent>;
const eventsIn = (value: Buffer) => JSON.parse(value.toString()) as MeteredEvent[];

describe('pack', () => {
  test('loses nothing, doubles nothing, and keeps each customer in order', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 400 }), (events, mostBytes) => {
        const packed = pack(events, mostBytes).flatMap(({ value }) => eventsIn(value));
        const of = (list: readonly MeteredEvent[], { tenantId, customerId }: MeteredEvent) =>
          list.filter((one) => one.tenantId === tenantId && one.customerId === customerId);
        expect(packed).toHaveLength(events.length);
        for (const one of events) expect(of(packed, one)).toEqual(of(events, one));
      }),
    );
  });

  test('a message is of one tenant and one lane', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        for (const { key, headers, value } of pack(events)) {
          expect(
            new Set(eventsIn(value).map((one) => `${one.tenantId} ${usageLane(one.customerId)}`)),
          ).toEqual(new Set([`${headers?.['tenant']} ${key}`]));
        }
      }),
    );
  });

  test('a message stays below its limit, unless one event alone is larger', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 2, max: 400 }), (events, mostBytes) => {
        for (const { value } of pack(events, mostBytes)) {
          expect(value.length <= mostBytes + 1 || eventsIn(value).length === 1).toBe(true);
        }
      }),
    );
  });

  test('lanes spread customers evenly enough', () => {
    const lanes = new Map<string, number>();
    for (let n = 0; n < 64_000; n += 1) {
      const lane = usageLane(`00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`);
      lanes.set(lane, (lanes.get(lane) ?? 0) + 1);
    }
    expect(lanes.size).toBe(64);
    expect(Math.max(...lanes.values())).toBeLessThan(1_300);
  });
});
