import fc from 'fast-check';
import { USAGE_LANES, usageLane } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { keysByLane, pack } from './bus-usage-publisher';

const event = fc.record({
  tenantId: fc.constantFrom('t1', 't2'),
  customerId: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
  id: fc.string({ unit: 'grapheme', maxLength: 40 }),
}) as unknown as fc.Arbitrary<MeteredEvent>;
const eventsIn = (value: Buffer) => JSON.parse(value.toString()) as MeteredEvent[];

const partitionOf = (lane: string) => Number(lane.slice('lane-'.length)) % 3;
const KEYS = keysByLane(partitionOf);

describe('pack', () => {
  test('loses nothing, doubles nothing, and keeps each customer in order', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 400 }), (events, mostBytes) => {
        const packed = pack(events, KEYS, mostBytes).flatMap(({ value }) => eventsIn(value));
        const of = (list: readonly MeteredEvent[], { tenantId, customerId }: MeteredEvent) =>
          list.filter((one) => one.tenantId === tenantId && one.customerId === customerId);
        expect(packed).toHaveLength(events.length);
        for (const one of events) expect(of(packed, one)).toEqual(of(events, one));
      }),
    );
  });

  test('a message is of one tenant and one partition, and has one key for it', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        for (const { key, headers, value } of pack(events, KEYS)) {
          expect(['lane-0', 'lane-1', 'lane-2']).toContain(key);
          for (const { tenantId, customerId } of eventsIn(value)) {
            expect(tenantId).toBe(headers?.['tenant']);
            expect(partitionOf(usageLane(customerId))).toBe(partitionOf(key));
          }
        }
      }),
    );
  });

  test('every lane has the key of its partition', () => {
    expect([...KEYS.keys()]).toEqual([...USAGE_LANES]);
    for (const [lane, key] of KEYS) expect(partitionOf(key)).toBe(partitionOf(lane));
  });

  test('a message stays below its limit, unless one event alone is larger', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 2, max: 400 }), (events, mostBytes) => {
        for (const { value } of pack(events, KEYS, mostBytes)) {
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
    expect(lanes.size).toBe(USAGE_LANES.length);
    expect(Math.max(...lanes.values())).toBeLessThan(1_300);
  });
});
