import { payerOf, providerRefOf } from './customer';

test.each([
  ['ok', 'test', 'sandbox:ok#c1'],
  ['decline:insufficient_funds', 'test', 'sandbox:decline:insufficient_funds#c1'],
  ['requires_action', 'test', 'sandbox:requires_action#c1'],
  ['timeout_captured', 'test', 'sandbox:timeout_captured#c1'],
  ['outage:50m', 'test', 'sandbox:outage:50m#c1'],
  ['pm_1PxYzAbC', 'test', 'pm_1PxYzAbC'],
  ['pm_1PxYzAbC', 'live', 'pm_1PxYzAbC'],
  ['ok', 'live', 'ok'],
] as const)('%s in %s mode is charged as %s', (set, mode, ref) => {
  expect(providerRefOf(set, mode, 'c1')).toBe(ref);
});

test('a customer pays for itself unless it names a payer', () => {
  expect([payerOf({ id: 'a', payerId: null }), payerOf({ id: 'a', payerId: 'b' })]).toEqual(['a', 'b']);
});
