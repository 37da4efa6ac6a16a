import { instant } from '@tallygate/kernel';
import fc from 'fast-check';
import {
  capture,
  forgive,
  invoiceIsSound,
  isOwed,
  payExternally,
  refund,
  voidInvoice,
  writeOff,
} from './invoice';
import type { Invoice, InvoiceChange } from './invoice';

const NOW = instant(0);
const open: Invoice = {
  id: 'i1',
  number: 1,
  customerId: 'c1',
  payerId: 'c1',
  kind: 'subscription',
  purpose: 'period',
  status: 'open',
  currency: 'USD',
  lines: [],
  total: 49n,
  due: 49n,
  captured: 0n,
  anchor: NOW,
  periodStart: NOW,
  periodEnd: NOW,
  subscriptionId: 's1',
  topUpId: null,
  dunningPolicy: null,
  interval: 'month',
  openedAt: NOW,
  settledAt: null,
  version: 1,
};

type Act = (invoice: Invoice) => InvoiceChange | string | null;
const part = fc.bigInt({ min: 1n, max: 60n });
const acts: fc.Arbitrary<readonly [string, Act]> = fc.oneof(
  fc.constant<[string, Act]>(['capture', (invoice) => capture(invoice, invoice.due, NOW)]),
  fc.constant<[string, Act]>(['void', (invoice) => voidInvoice(invoice, NOW)]),
  fc.constant<[string, Act]>(['write off', writeOff]),
  part.map<[string, Act]>((amount) => ['forgive', (invoice) => forgive(invoice, amount, NOW)]),
  part.map<[string, Act]>((amount) => ['external', (invoice) => payExternally(invoice, amount, NOW)]),
  fc
    .tuple(part, fc.boolean())
    .map<[string, Act]>(([amount, reopen]) => ['refund', (invoice) => refund(invoice, amount, reopen, NOW)]),
);

test('whatever happens, it owes between nothing and its total, and leaves paid by a refund only', () => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 20 }), (list) => {
      let invoice = open;
      for (const [name, act] of list) {
        const change = act(invoice);
        if (change === null || typeof change === 'string') continue;
        if (invoice.status === 'paid') expect(name).toBe('refund');
        invoice = change.invoice;
        invoiceIsSound(invoice);
        expect(invoice.captured >= 0n).toBe(true);
      }
    }),
  );
});

test('a second capture, and one after forgiving, moves nothing', () => {
  const paid = capture(open, 49n, NOW)?.invoice ?? open;
  expect([paid.status, capture(paid, 49n, NOW)]).toEqual(['paid', null]);
  const forgiven = forgive(open, null, NOW);
  expect(typeof forgiven === 'string' ? forgiven : capture(forgiven.invoice, 49n, NOW)).toBeNull();
});

test('what one refund made owed again stays owed when the rest is given back', () => {
  const after = (change: InvoiceChange | string | null) =>
    change === null || typeof change === 'string' ? open : change.invoice;
  const reopened = after(refund(after(capture(open, 49n, NOW)), 20n, true, NOW));
  const { status, due, captured } = after(refund(reopened, 29n, false, NOW));
  expect([status, due, captured]).toEqual(['open', 20n, 0n]);
});

test('a draft is owed by nobody until it is paid', () => {
  const draft: Invoice = { ...open, number: null, status: 'draft' };
  expect([isOwed(draft), writeOff(draft), capture(draft, 49n, NOW)?.cause]).toEqual([
    false,
    'nothing_owed',
    'paid',
  ]);
});
