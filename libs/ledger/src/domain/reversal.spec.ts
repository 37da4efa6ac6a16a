import { instant, NANO } from '@tallygate/kernel';
import { issueLot } from './grant';
import { giveBack, takeBack } from './reversal';
import { debtOf, draftOf, freeCredit } from './wallet';
import type { Wallet } from './wallet';

const NOW = instant(1_800_000_000_000_000);
const empty: Wallet = {
  id: 1n,
  tenantId: 't',
  customerId: 'c',
  unit: 'USD',
  version: 0,
  lots: [],
  debts: [],
  holds: [],
  recurrences: [],
  overdraft: 0n,
  latenessMicros: 0,
  lastExpiryAt: null,
  lastCreditAt: null,
};

test('what was spent of a purchase that is taken back becomes debt, and giving it back repays that', () => {
  let number = 0;
  const draft = draftOf({ ...empty, lots: [], debts: [] }, NOW, () => `id${(number += 1)}`);
  const issue = { grantId: 'g', grantKey: 't1', kind: 'paid', priority: 100 } as const;
  const terms = { effectiveAt: NOW, expiresAt: null, features: null, amount: 5n * NANO };
  const lot = issueLot(draft, { ...issue, ...terms });
  lot.remaining = 3n * NANO;
  takeBack(draft, [lot], 5n * NANO, 't1');
  expect([lot.remaining, debtOf(draft.wallet)]).toEqual([0n, 2n * NANO]);
  giveBack(draft, lot, 5n * NANO, 't1');
  expect([freeCredit(draft.wallet, NOW, null), debtOf(draft.wallet)]).toEqual([3n * NANO, 0n]);
});
