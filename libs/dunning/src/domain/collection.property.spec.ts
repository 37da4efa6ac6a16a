import * as fc from 'fast-check';
import { addMicros, instant, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { collectionState } from './collection';
import type { Collection, UnpaidInvoice, Warning } from './collection';
import { DEFAULT_POLICY } from './policy';

const when = fc.integer({ min: 0, max: 60 * 24 }).map((hour) => instant(hour * MICROS.hour));
const invoice: fc.Arbitrary<UnpaidInvoice> = fc.record({
  id: fc.uuid(),
  anchor: when,
  due: fc.bigInt({ min: 1n, max: 100n }),
  currency: fc.constantFrom('USD', 'EUR'),
  policy: fc.constantFrom(
    DEFAULT_POLICY,
    { ...DEFAULT_POLICY, minAmount: { USD: 50n, EUR: 50n } },
    { ...DEFAULT_POLICY, suspend: 0, end: 0 },
  ),
  failedAt: fc.option(when),
  heldSince: fc.option(when),
  actionOpen: fc.boolean(),
  finished: fc.boolean(),
});
const invoices = fc.array(invoice, { maxLength: 4 });
const warningsOf = (list: readonly UnpaidInvoice[]): fc.Arbitrary<Warning[]> =>
  list.length === 0
    ? fc.constant([])
    : fc.array(
        fc.record({
          anchor: fc.constantFrom(...list.map((one) => one.anchor)),
          deliveredAt: fc.option(when),
          undeliverable: fc.constant(false),
        }),
        { maxLength: 2 },
      );
/** What is held has been held since some instant in the past of whoever looks. */
const situation = fc.tuple(invoices, when).chain(([drawn, now]) => {
  const list = drawn.map((one) => ({
    ...one,
    heldSince: one.heldSince !== null && one.heldSince > now ? now : one.heldSince,
  }));
  return fc.tuple(fc.constant(list), warningsOf(list), fc.constant(now));
});

const DENIED: readonly Collection['state'][] = ['suspended', 'ended'];

test('nobody is suspended without a delivered warning and its notice', () => {
  fc.assert(
    fc.property(situation, ([list, warnings, now]) => {
      const { state, anchor, policy } = collectionState(list, warnings, false, now);
      if (!DENIED.includes(state)) return;
      const delivered = warnings.find((warning) => warning.anchor === anchor)?.deliveredAt;
      expect(now - (delivered ?? Infinity)).toBeGreaterThanOrEqual(policy?.minNotice ?? Infinity);
    }),
    { numRuns: 3000 },
  );
});

test('the order of the invoices does not matter', () => {
  fc.assert(
    fc.property(situation, ([list, warnings, now]) => {
      expect(collectionState([...list].reverse(), warnings, false, now)).toEqual(
        collectionState(list, warnings, false, now),
      );
    }),
  );
});

test('between now and changesAt nothing changes by itself', () => {
  fc.assert(
    fc.property(situation, fc.double({ min: 0, max: 0.999, noNaN: true }), ([list, warnings, now], part) => {
      const before = collectionState(list, settledAt(warnings, now), false, now);
      const until = before.changesAt ?? addMicros(now, 100 * MICROS.day);
      const later = instant(Math.floor(now + (until - now) * part));
      expect(collectionState(list, settledAt(warnings, now), false, later)).toEqual(before);
    }),
    { numRuns: 3000 },
  );
});

/** Deliveries lie in the past of whoever looks. */
function settledAt(warnings: readonly Warning[], now: Instant): Warning[] {
  return warnings.map((warning) =>
    warning.deliveredAt !== null && warning.deliveredAt > now ? { ...warning, deliveredAt: null } : warning,
  );
}
