import * as fc from 'fast-check';
import { instant } from '@tallygate/kernel';
import { CREATED, learn } from './attempt';
import type { AttemptState, Signal } from './attempt';

const signal: fc.Arbitrary<Signal> = fc.record({
  state: fc.constantFrom<AttemptState>(
    'not_sent',
    'unknown',
    'pending',
    'action_required',
    'declined',
    'succeeded',
  ),
  chargeRef: fc.constantFrom(null, 'ch_1'),
  declineCode: fc.constantFrom(null, 'do_not_honor', 'insufficient_funds'),
  adviceCode: fc.constantFrom(null, '24'),
  capturedAt: fc.constantFrom(null, instant(1), instant(2)),
});

const after = (signals: readonly Signal[]) => signals.reduce(learn, CREATED);

test('any permutation and duplication of the same signals ends in the same state', () => {
  fc.assert(
    fc.property(
      fc
        .array(signal, { maxLength: 6 })
        .chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 }),
          ),
        ),
      ([list, repeated]) => expect(after(repeated)).toEqual(after(list)),
    ),
    { numRuns: 2000 },
  );
});

test('a capture is never unsaid', () => {
  fc.assert(
    fc.property(fc.array(signal), fc.array(signal), (before, later) => {
      const capture: Signal = { ...CREATED, state: 'succeeded', capturedAt: instant(1) };
      expect(after([...before, capture, ...later]).state).toBe('succeeded');
    }),
  );
});
