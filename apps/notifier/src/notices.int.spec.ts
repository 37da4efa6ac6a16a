import * as fc from 'fast-check';
import { Rig } from './rig';
import { balance, collection, failed, invoice, lot, quota, scheduled, subscription } from './rig-facts';

const START = '2026-01-10T00:00:00Z';
const ANCHOR = '2026-01-07T00:00:00Z';
const INVOICE = '00000000-0000-7000-8000-0000000000f1';
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig.stop());

describe('usage', () => {
  test('50, 80 and 100 % once each; several at once are one; again in the next period', async () => {
    await rig.given(START);
    await rig.hear(quota(rig.customerId, 1, '49'), quota(rig.customerId, 2, '50'));
    await rig.hear(quota(rig.customerId, 2, '50'), quota(rig.customerId, 1, '49'));
    await rig.hear(quota(rig.customerId, 3, '100'));
    await rig.hear(quota(rig.customerId, 4, '79'), quota(rig.customerId, 5, '90'));
    const next = { periodStart: '2026-02-01T00:00:00Z', periodEnd: '2026-03-01T00:00:00Z' };
    await rig.hear(quota(rig.customerId, 6, '80', next));
    const said = ['50', '100', '80'].map((threshold) => `usage_threshold ${threshold}`);
    expect(rig.mails()).toEqual(said);
    expect(await rig.notices()).toEqual(said.map((one) => `01-10T00:00 ${one}`));
  });

  test('facts that came before the catalog and the customer are judged when these are known', async () => {
    await rig.given(START);
    const unknown = '00000000-0000-7000-8000-0000000000c9';
    await rig.hear(quota(unknown, 1, '85'), lot(unknown, 1));
    expect(rig.mails()).toEqual([]);
    await rig.rules([]);
    rig.customerId = unknown;
    await rig.customer({ key: 'late' });
    await rig.settle();
    await rig.to('2026-01-25T00:00:00Z');
    expect(rig.mails()).toEqual(['usage_threshold 80', 'grant_expiring 7d']);
  });

  test('a rule that changes is applied to what is known', async () => {
    await rig.given(START);
    await rig.hear(quota(rig.customerId, 1, '30'));
    const rule = { key: 'early', on: 'usage' as const, thresholds: [25], percent: true, feature: 'calls' };
    await rig.rules([rule]);
    await rig.settle();
    expect(rig.mails()).toEqual(['usage_threshold 25']);
  });
});

describe('balance', () => {
  const rule = { key: 'low', on: 'balance' as const, thresholds: ['0.20', '1'], percent: false, unit: 'USD' };

  test('low at exactly the amount, once, and again after it was above', async () => {
    await rig.given(START, {}, [rule]);
    await rig.hear(balance(rig.customerId, 1, [START, '5']), balance(rig.customerId, 2, [START, '1']));
    await rig.hear(balance(rig.customerId, 3, [START, '0.5']), balance(rig.customerId, 4, [START, '0.1']));
    await rig.hear(balance(rig.customerId, 5, [START, '9']), balance(rig.customerId, 6, [START, '0']));
    expect(rig.mails()).toEqual(['balance_low 1', 'balance_low 0.20', 'balance_low 0.20']);
  });

  test('credit that expires crosses with no event, and what the ledger says of it later changes nothing', async () => {
    await rig.given(START, {}, [rule]);
    const expiry = '2026-01-12T00:00:00Z';
    await rig.hear(balance(rig.customerId, 1, [START, '5'], [expiry, '0.5'], ['2026-01-14T00:00:00Z', '9']));
    await rig.to('2026-01-13T00:00:00Z');
    expect(await rig.notices()).toEqual(['01-12T00:00 balance_low 1']);
    await rig.hear(balance(rig.customerId, 2, [expiry, '0.5'], ['2026-01-14T00:00:00Z', '9']));
    expect(rig.mails()).toHaveLength(1);
    await rig.to('2026-01-15T00:00:00Z');
    await rig.hear(balance(rig.customerId, 3, [START, '0.5']));
    expect(await rig.notices()).toEqual(['01-12T00:00 balance_low 1', '01-15T00:00 balance_low 1']);
  });
});

describe('reminders', () => {
  test('a grant at 7, 3 and 1 days, each once, through repeats at the very instant and a restart', async () => {
    await rig.given(START);
    await rig.hear(lot(rig.customerId, 1));
    await rig.to('2026-01-24T00:00:00Z');
    await rig.hear(lot(rig.customerId, 2, { remaining: '4' }), lot(rig.customerId, 1));
    await rig.restart();
    await rig.to('2026-02-02T00:00:00Z');
    expect(await rig.notices()).toEqual([
      '01-24T00:00 grant_expiring 7d',
      '01-28T00:00 grant_expiring 3d',
      '01-30T00:00 grant_expiring 1d',
    ]);
  });

  test('a lot used up is not announced, and another lot of the same grant is', async () => {
    await rig.given(START);
    const other = '00000000-0000-7000-8000-000000000002';
    await rig.hear(lot(rig.customerId, 1), lot(rig.customerId, 1, { grantId: other }));
    await rig.hear(lot(rig.customerId, 2, { status: 'used', remaining: '0' }));
    await rig.to('2026-01-25T00:00:00Z');
    expect(rig.mails()).toEqual(['grant_expiring 7d']);
  });

  test('a trial at 7, 3 and 1 days; a renewal 7 days before, of the plan in force then', async () => {
    await rig.given(START);
    const trial = { status: 'trialing' as const, trialEnd: '2026-01-20T00:00:00Z' };
    await rig.hear(subscription(rig.customerId, 1, trial));
    await rig.to('2026-01-20T00:00:00Z');
    await rig.hear(subscription(rig.customerId, 2));
    await rig.hear(subscription(rig.customerId, 3, { plan: 'bigger' }));
    await rig.to('2026-02-01T00:00:00Z');
    expect(await rig.notices()).toEqual([
      '01-13T00:00 trial_ending 7d',
      '01-17T00:00 trial_ending 3d',
      '01-19T00:00 trial_ending 1d',
      '01-25T00:00 renewal_upcoming 7d',
    ]);
    expect(rig.smtp.mails.at(-1)?.headers['x-tallygate-subject']).toBe('bigger');
  });

  test('a card ends with its month by the customer’s calendar; a new card takes its reminders away', async () => {
    await rig.given(START, { timezone: 'America/New_York' });
    const card = (version: number, label: string, expires: string) => ({
      type: 'payment_method.changed' as const,
      data: {
        customerId: rig.customerId,
        version,
        method: {
          id: label,
          customerId: rig.customerId,
          providerRef: 'x',
          brand: 'visa',
          funding: 'credit' as const,
          expires,
          label,
        },
      },
    });
    await rig.hear(card(1, 'first', '2026-02'));
    await rig.to('2026-02-01T00:00:00Z');
    expect(await rig.notices()).toEqual(['01-30T05:00 card_expiring 30d']);
    await rig.hear(card(2, 'second', '2028-02'));
    await rig.to('2026-04-01T00:00:00Z');
    expect(rig.mails()).toHaveLength(1);
  });
});

describe('payments', () => {
  test('a failure by the invoice’s number, even when it is heard of first; once per run; success once', async () => {
    await rig.given(START);
    await rig.hear(failed(rig.customerId, INVOICE, 'a1'), failed(rig.customerId, INVOICE, 'a1'));
    expect(rig.mails()).toEqual([]);
    await rig.hear(invoice(rig.customerId, INVOICE, 17, 'opened'));
    await rig.hear(failed(rig.customerId, INVOICE, 'a2', false));
    const paid = invoice(rig.customerId, INVOICE, 17, 'paid');
    await rig.hear(paid, paid);
    expect(rig.mails()).toEqual(['payment_failed 17', 'payment_succeeded 17']);
  });

  test('warned, reminded of what is still ahead, suspended, restored; nothing more after payment', async () => {
    await rig.given(START);
    const { customerId } = rig;
    await rig.hear(collection(customerId, 1, 'grace', ANCHOR));
    await rig.hear(scheduled(customerId, ANCHOR, '2026-01-21T00:00:00Z'));
    await rig.hear(collection(customerId, 2, 'warned', ANCHOR, '2026-01-21T00:00:00Z'));
    await rig.to('2026-01-21T00:00:00Z');
    const suspended = collection(customerId, 3, 'suspended', ANCHOR, '2026-01-21T00:00:00Z');
    await rig.hear(suspended, suspended);
    await rig.hear(collection(customerId, 4, 'current', null), suspended);
    expect(await rig.notices()).toEqual([
      `01-10T00:00 suspension_scheduled ${ANCHOR}`,
      '01-14T00:00 suspension_scheduled 7d',
      '01-18T00:00 suspension_scheduled 3d',
      '01-20T00:00 suspension_scheduled 1d',
      `01-21T00:00 suspended ${ANCHOR}`,
      '01-21T00:00 restored access',
    ]);
    expect(rig.outcomes()[0]).toBe(`01-10T00:00 delivered suspension_scheduled ${ANCHOR}`);
  });

  test('paid after the warning: no reminder follows, and nothing is restored that was not taken', async () => {
    await rig.given(START);
    await rig.hear(scheduled(rig.customerId, ANCHOR, '2026-01-21T00:00:00Z'));
    await rig.hear(collection(rig.customerId, 1, 'warned', ANCHOR, '2026-01-21T00:00:00Z'));
    await rig.hear(collection(rig.customerId, 2, 'current', null));
    await rig.to('2026-02-01T00:00:00Z');
    expect(rig.mails()).toEqual([`suspension_scheduled ${ANCHOR}`]);
  });
});

test('the operator’s alerts, oldest first, once each', async () => {
  await rig.given(START);
  const alert = (kind: string) => ({ type: 'alert.raised' as const, data: { kind, detail: 'd' } });
  await rig.say(alert('first'), START, '00000000-0000-7000-8000-0000000000e1');
  await rig.say(alert('first'), START, '00000000-0000-7000-8000-0000000000e1');
  await rig.to('2026-01-11T00:00:00Z');
  await rig.hear(alert('second'));
  expect(await rig.get('/v1/alerts')).toEqual({
    alerts: [
      { at: START, kind: 'first', detail: 'd' },
      { at: '2026-01-11T00:00:00Z', kind: 'second', detail: 'd' },
    ],
  });
});

test('any order and any repetition of the same facts end in the same notices', async () => {
  const rule = { key: 'low', on: 'balance' as const, thresholds: ['1'], percent: false, unit: 'USD' };
  const notices = async (order: readonly number[]): Promise<string[]> => {
    await rig.given(START, {}, [rule]);
    const facts = [
      failed(rig.customerId, INVOICE, 'a1'),
      invoice(rig.customerId, INVOICE, 17, 'opened'),
      invoice(rig.customerId, INVOICE, 17, 'paid'),
      scheduled(rig.customerId, ANCHOR, '2026-01-21T00:00:00Z'),
      collection(rig.customerId, 1, 'suspended', ANCHOR),
      quota(rig.customerId, 1, '85'),
      balance(rig.customerId, 1, [START, '0.5']),
      lot(rig.customerId, 1, { expiresAt: '2026-01-12T00:00:00Z' }),
      subscription(rig.customerId, 1, { status: 'pending_approval' }),
    ];
    for (const index of order)
      await rig.say(facts[index]!, START, `00000000-0000-7000-8000-0000000000b${index}`);
    await rig.to('2026-01-13T00:00:00Z');
    expect(rig.mails()).toHaveLength((await rig.notices()).length);
    return (await rig.notices()).sort();
  };
  const all = Array.from({ length: 9 }, (_, index) => index);
  const expected = await notices(all);
  expect(expected).toHaveLength(8);
  const orders = fc
    .array(fc.constantFrom(...all), { maxLength: 9 })
    .chain((again) => fc.shuffledSubarray([...all, ...again], { minLength: 9 + again.length }));
  await fc.assert(
    fc.asyncProperty(orders, async (order) => expect(await notices(order)).toEqual(expected)),
    { numRuns: 6 },
  );
});
