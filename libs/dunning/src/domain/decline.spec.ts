import { instant, MICROS } from '@tallygate/kernel';
import { capReached } from './card-caps';
import { forbidsMethod, readDecline } from './decline';
import { nextOutageTry, nextReconcile } from './outage';

test.each([
  ['lost_card', null, 'hard', true],
  ['expired_card', null, 'data', false],
  ['insufficient_funds', null, 'funds', false],
  ['do_not_honor', null, 'generic', false],
  ['nobody_knows_this', null, 'generic', false],
  ['issuer_not_available', null, 'technical', false],
  ['authentication_required', null, 'authentication', false],
  ['do_not_honor', '01', 'data', false],
  ['do_not_honor', '2', 'funds', false],
  ['do_not_honor', '03', 'generic', true],
  ['insufficient_funds', '21', 'funds', true],
  ['lost_card', '24', 'hard', false],
])('%s with advice %s is %s', (code, advice, declineClass, forbidden) => {
  const decline = readDecline(code, advice);
  expect([decline.declineClass, forbidsMethod(decline)]).toEqual([declineClass, forbidden]);
});

const NOW = instant(100 * MICROS.day);
const declines = (count: number, ageMicros: number, amount = 10n) =>
  Array.from({ length: count }, () => ({ at: instant(NOW - ageMicros), amount }));

test.each([
  ['visa, the 20th', 'visa', declines(20, 0), true],
  ['visa, one short', 'visa', declines(19, 0), false],
  ['visa, a moment inside 30 days', 'visa', declines(20, 30 * MICROS.day - 1), true],
  ['visa, exactly 30 days old', 'visa', declines(20, 30 * MICROS.day), false],
  ['another amount', 'visa', declines(20, 0, 11n), false],
  ['mastercard, 10 in a day', 'mastercard', declines(10, MICROS.day - 1), true],
  ['mastercard, exactly a day old', 'mastercard', declines(10, MICROS.day), false],
  ['mastercard, 35 in 30 days', 'Mastercard', declines(35, 2 * MICROS.day), true],
  ['a brand without a cap', 'amex', declines(100, 0), false],
])('cap: %s', (_, brand, past, expected) => {
  expect(capReached(brand, 10n, past, NOW)).toBe(expected);
});

test('an outage is waited out for 5, 10, 20 … minutes, eight times', () => {
  const waits = Array.from({ length: 9 }, (_, index) => nextOutageTry(index + 1, NOW)).map((at) =>
    at === null ? null : (at - NOW) / MICROS.minute,
  );
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, null]);
});

test('an unknown outcome is asked for after 5 minutes, an hour, then daily for a week', () => {
  const ages: number[] = [];
  for (let at = nextReconcile(NOW, NOW); at !== null; at = nextReconcile(NOW, at))
    ages.push((at - NOW) / MICROS.hour);
  expect(ages).toEqual([5 / 60, 1, 24, 48, 72, 96, 120, 144, 168]);
});
