import { instant, NANO } from '@tallygate/kernel';
import { disputeTopUp, refundTopUp, reversedCredit } from './top-up';
import type { TopUp } from './top-up';

const PRICE = 5n * NANO;
const paid: TopUp = {
  id: 't1',
  customerId: 'c1',
  key: 't1',
  unit: 'credits',
  amount: 100n * NANO,
  status: 'paid',
  invoiceId: 'i1',
  declineCode: null,
  auto: false,
  refunded: 0n,
  disputed: 0n,
  dispute: null,
  reversals: 0,
  createdAt: instant(0),
  paidAt: instant(0),
};
const after = (states: readonly ('open' | 'won' | 'lost')[]) =>
  states.reduce((topUp, state) => disputeTopUp(topUp, state, PRICE) ?? topUp, paid);

test('credit goes back in the share of its price that went back, never more than all of it', () => {
  const part = refundTopUp(paid, 2n * NANO);
  expect(reversedCredit(part, PRICE)).toBe(40n * NANO);
  expect(reversedCredit(disputeTopUp(part, 'open', PRICE) ?? part, PRICE)).toBe(100n * NANO);
});

test('a chargeback ends the same in any order and number of its events', () => {
  for (const won of [
    ['open', 'won'],
    ['won', 'open'],
    ['open', 'open', 'won', 'won', 'open'],
  ] as const)
    expect(reversedCredit(after(won), PRICE)).toBe(0n);
  for (const lost of [
    ['open', 'lost'],
    ['lost', 'open', 'lost'],
  ] as const)
    expect(reversedCredit(after(lost), PRICE)).toBe(100n * NANO);
});
