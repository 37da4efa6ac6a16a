import fc from 'fast-check';
import { unpackUsage, USAGE_LANES, usageLane } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { keysByLane, UsagePacks } from './bus-usage-publisher';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const micros = fc.integer({ min: 0, max: 4e15 });
const group = fc.dictionary(fc.constantFrom('model', 'region'), text, { noNullPrototype: true });
const features = fc.array(fc.constantFrom('completions', 'images'), { maxLength: 2 });
const reading = fc.oneof(
  fc.record({ meter: text, quantity: text, group, features }),
  fc.record({ meter: text, value: text, group, features }),
  fc.record({ meter: text, quantity: text, value: text, group, features }),
);
const plain = {
  tenantId: fc.constantFrom('t1', 't2'),
  customerId: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
  subject: text,
  source: text,
  id: text,
  type: text,
  occurredAt: micros,
  receivedAt: micros,
  payloadHash: fc.constantFrom('0f'.repeat(16), 'a0'.repeat(16)),
  readings: fc.array(reading, { maxLength: 3 }),
};
const corrects = fc.record({ source: text, id: text, kind: fc.constantFrom('reversal', 'amendment') });
const event: fc.Arbitrary<MeteredEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.record(plain) },
  { weight: 1, arbitrary: fc.record({ ...plain, corrects }) },
);

const partitionOf = (lane: string) => Number(lane.slice('lane-'.length)) % 3;
const KEYS = keysByLane(partitionOf);

/** Added by threes: pieces of several calls meet in one message. */
function pack(events: readonly MeteredEvent[], mostBytes?: number) {
  const packs = new UsagePacks(KEYS, mostBytes);
  for (let at = 0; at < events.length; at += 3) packs.add(events.slice(at, at + 3));
  return packs.messages();
}

describe('packs of usage', () => {
  test('loses nothing, doubles nothing, and keeps each customer in order', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 1000 }), (events, mostBytes) => {
        const packed = pack(events, mostBytes).flatMap(({ value }) => unpackUsage(value));
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
        for (const { key, headers, value } of pack(events)) {
          expect(['lane-0', 'lane-1', 'lane-2']).toContain(key);
          for (const { tenantId, customerId } of unpackUsage(value)) {
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
      fc.property(fc.array(event), fc.integer({ min: 2, max: 1000 }), (events, mostBytes) => {
        for (const { value } of pack(events, mostBytes)) {
          expect(value.length <= mostBytes || unpackUsage(value).length === 1).toBe(true);
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
