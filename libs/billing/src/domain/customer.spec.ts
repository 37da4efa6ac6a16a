import { payerOf, providerRefOf } from './customer';

test.each([
  ['ok', 'test', 'sandbox:ok'],
  ['decline:insufficient_funds', 'test', 'sandbox:decline:insufficient_funds'],
  ['requires_action', 'test', 'sandbox:requires_action'],
  ['timeout_captured', 'test', 'sandbox:timeout_captured'],
  ['outage:50m', 'test', 'sandbox:outage:50m'],
  ['pm_1PxYzAbC', 'test', 'pm_1PxYzAbC'],
  ['pm_1PxYzAbC', 'live', 'pm_1PxYzAbC'],
  ['ok', 'live', 'ok'],
] as const)('%s in %s mode is charged as %s', (set, mode, ref) => {
  expect(providerRefOf(set, mode)).toBe(ref);
});

test('a customer pays for itself unless it names a payer', () => {
  expect([payerOf({ id: 'a', payerId: null }), payerOf({ id: 'a', payerId: 'b' })]).toEqual(['a', 'b']);
});
