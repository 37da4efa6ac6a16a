import { PaymentProvider } from '@tallygate/dunning';
import { Rig } from './rig';

const START = '2026-01-06T00:00:00Z';
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig.stop());

describe('a card that is declined', () => {
  test('grace, warned, suspended, and at once current with a new card and one capture', async () => {
    await rig.given(START, 'decline:do_not_honor');
    await rig.invoice({ anchor: START });
    await rig.to('2026-01-21T00:00:00Z');
    expect(await rig.attempts()).toEqual([
      '01-06T00:00 declined generic',
      '01-09T00:00 declined generic',
      '01-13T09:00 declined generic',
      '01-17T00:00 declined generic',
    ]);
    expect(rig.states()).toEqual(['01-06T00:00 grace', '01-09T00:00 warned', '01-20T00:00 suspended']);
    await rig.card('ok');
    await rig.settle();
    expect(rig.states().at(-1)).toBe('01-21T00:00 current');
    expect(await rig.captured()).toBe('10');
  });

  test('one failure notice per run, one success', async () => {
    await rig.given(START, 'decline:insufficient_funds');
    await rig.script({ next: ['decline:insufficient_funds', 'decline:insufficient_funds'], then: 'ok' });
    await rig.invoice({ anchor: START });
    await rig.to('2026-02-20T00:00:00Z');
    const failures = rig.events.flatMap((event) =>
      event.type === 'payment.failed' ? [event.data.firstOfRun] : [],
    );
    expect(failures).toEqual([true, false]);
    expect(rig.types().filter((type) => type === 'payment.succeeded')).toHaveLength(1);
    expect(await rig.captured()).toBe('10');
  });

  test('a hard decline is never tried again, and the final action follows at its age', async () => {
    await rig.given(START, 'decline:stolen_card');
    await rig.invoice({ anchor: START });
    await rig.to('2026-03-01T00:00:00Z');
    expect(await rig.attempts()).toEqual(['01-06T00:00 declined hard']);
    expect(rig.states()).toEqual([
      '01-06T00:00 grace',
      '01-09T00:00 warned',
      '01-20T00:00 suspended',
      '02-05T00:00 ended',
    ]);
    expect(rig.types().filter((type) => type === 'dunning.finished')).toHaveLength(1);
  });

  test('without a delivered warning nobody is suspended, however long', async () => {
    await rig.given(START, 'decline:stolen_card');
    rig.deliverWarnings = false;
    await rig.invoice({ anchor: START });
    await rig.to('2026-03-01T00:00:00Z');
    expect(rig.states()).toEqual(['01-06T00:00 grace']);
    await rig.notify('notice.undeliverable', START);
    await rig.settle();
    expect(rig.types()).toContain('warning_undeliverable');
    await rig.notify('notice.delivered', START);
    await rig.to('2026-03-04T00:00:00Z');
    expect(rig.states().slice(1)).toEqual(['03-01T00:00 warned', '03-03T00:00 ended']);
  });

  test('two months owed are charged oldest first with the new card', async () => {
    await rig.given(START, 'decline:lost_card');
    await rig.invoice({ anchor: START, due: '1', total: '1' });
    await rig.to('2026-01-16T00:00:00Z');
    await rig.invoice({ anchor: '2026-01-16T00:00:00Z', due: '2', total: '2' });
    await rig.card('ok');
    await rig.settle();
    const { list } = (await rig.control('GET', `/control/captures?tenant=${rig.tenantId}&customer=acme`)) as {
      list: { amount: string }[];
    };
    expect(list.map((one) => one.amount)).toEqual(['1', '2']);
    expect(await rig.state()).toBe('current');
  });
});

describe('after the final action', () => {
  const ended = async () => {
    await rig.given(START, 'decline:stolen_card');
    const invoice = await rig.invoice({ anchor: START });
    await rig.to('2026-02-06T00:00:00Z');
    return invoice;
  };

  test('a new card charges nothing, and a payment by link ends it', async () => {
    const invoice = await ended();
    const method = await rig.card('ok');
    await rig.settle();
    expect([await rig.state(), await rig.captured()]).toEqual(['ended', '0']);
    expect(await rig.pay(invoice, method, 'hosted')).toMatchObject({ outcome: 'succeeded' });
    await rig.settle();
    expect([await rig.state(), await rig.captured()]).toEqual(['current', '10']);
  });

  test('a new subscription begins anew, with the old debt unpaid', async () => {
    await ended();
    await rig.card('ok');
    await rig.invoice({ anchor: '2026-02-06T00:00:00Z' });
    expect([await rig.state(), await rig.captured()]).toEqual(['current', '10']);
  });
});

test('an invoice that is owed again counts from its original age and is not charged by a new card', async () => {
  await rig.given(START, 'ok');
  const invoice = await rig.invoice({ anchor: START });
  await rig.billing({ ...invoice, due: '0', status: 'paid', version: 2 }, 'paid');
  await rig.to('2026-01-26T00:00:00Z');
  await rig.billing({ ...invoice, version: 3 }, 'reopened');
  expect(rig.states()).toEqual(['01-26T00:00 grace', '01-26T00:00 warned']);
  await rig.card('ok');
  await rig.to('2026-01-28T00:00:00Z');
  expect([rig.states().at(-1), await rig.captured()]).toEqual(['01-28T00:00 suspended', '10']);
});

test('without a method: one notice, no attempt, and ageing all the same', async () => {
  await rig.given(START, null);
  await rig.invoice({ anchor: START });
  await rig.to('2026-01-10T00:00:00Z');
  expect(await rig.attempts()).toEqual([]);
  expect(rig.types().filter((type) => type === 'payment.method_missing')).toHaveLength(1);
  expect(await rig.state()).toBe('warned');
});

describe('an outcome that nobody told us', () => {
  test('captured: found after five minutes and never charged again', async () => {
    await rig.given(START, 'timeout_captured');
    await rig.invoice({ anchor: START });
    expect(await rig.attempts()).toEqual(['01-06T00:00 unknown']);
    await rig.card('ok');
    await rig.settle();
    expect(await rig.state()).toBe('current');
    await rig.to('2026-01-06T00:05:00Z');
    expect(await rig.attempts()).toEqual(['01-06T00:00 succeeded']);
    expect(await rig.captured()).toBe('10');
  });

  test('declined: counts from its attempt', async () => {
    await rig.given(START, 'timeout_declined');
    await rig.script({ next: ['timeout_declined'], then: 'ok' });
    await rig.invoice({ anchor: START });
    await rig.to('2026-01-12T00:00:00Z');
    expect(await rig.attempts()).toEqual(['01-06T00:00 declined generic', '01-09T00:00 succeeded']);
  });

  test('blocks every other charge, and after a week an operator hears of it', async () => {
    await rig.given(START, 'pending');
    const invoice = await rig.invoice({ anchor: START });
    expect(await rig.pay(invoice, await rig.card('ok'))).toEqual({
      outcome: 'refused',
      code: 'payment_open',
    });
    expect(await rig.pay(invoice, null, 'hosted')).toEqual({ outcome: 'refused', code: 'payment_open' });
    await rig.to('2026-02-20T00:00:00Z');
    expect(await rig.attempts()).toEqual(['01-06T00:00 pending']);
    expect([rig.states(), rig.types()]).toEqual([[], ['outcome_unresolved']]);
  });
});

describe('provider events', () => {
  test.each([
    [['1.declined', '1.succeeded']],
    [['1.succeeded', '1.declined']],
    [['1.succeeded', '1.succeeded', '1.declined']],
  ])('%p, each twice, end in the same state', async (deliver) => {
    await rig.given(START, 'pending');
    await rig.invoice({ anchor: START });
    await rig.provide({ deliver, duplicate: 2 });
    expect(await rig.attempts()).toEqual(['01-06T00:00 succeeded']);
    expect([await rig.state(), await rig.captured()]).toEqual(['current', '10']);
  });

  test('a wrong signature or the other mode moves nothing and tells the operator', async () => {
    await rig.given(START, 'pending');
    await rig.invoice({ anchor: START });
    await rig.provide({ deliver: ['1.succeeded'], secret: 'wrong' });
    await rig.provide({ deliver: ['1.succeeded'], mode: 'live' });
    expect(await rig.attempts()).toEqual(['01-06T00:00 pending']);
    expect(rig.types()).toEqual(['webhook_refused', 'webhook_refused']);
  });

  test('a webhook that names a tenant nobody knows states no fact about it, which would stop its readers', async () => {
    await rig.given(START, 'ok');
    const unknown = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99';
    expect(await rig.strangersWebhook(unknown)).toBe(401);
    expect(await rig.strangersWebhook(rig.tenantId)).toBe(401);
    await rig.settle();
    expect(rig.types()).toEqual(['webhook_refused']);
    expect(rig.tenants).not.toContain(unknown);
  });

  test('a capture after the invoice was settled otherwise is refunded and reported', async () => {
    await rig.given(START, 'pending');
    const invoice = await rig.invoice({ anchor: START });
    await rig.billing({ ...invoice, due: '0', status: 'paid', version: 2 }, 'paid');
    await rig.provide({ deliver: ['1.succeeded'] });
    expect(await rig.captured()).toBe('0');
    expect(rig.types()).toContain('second_capture_refunded');
  });

  test('a chargeback denies at once and a won one gives access back', async () => {
    await rig.given(START, 'ok');
    await rig.invoice({ anchor: START });
    await rig.provide({ deliver: ['1.dispute_opened'] });
    expect(await rig.state()).toBe('disputed');
    await rig.provide({ deliver: ['1.dispute_won'] });
    expect(await rig.state()).toBe('current');
  });
});

describe('3-D Secure', () => {
  const authenticate = async (outcome: string) => {
    await rig.control('POST', '/control/authenticate', { tenant: rig.tenantId, customer: 'acme', outcome });
    await rig.settle();
  };

  test('done: current', async () => {
    await rig.given(START, 'requires_action');
    await rig.invoice({ anchor: START });
    expect(await rig.state()).toBe('action_required');
    await authenticate('done');
    expect([await rig.state(), await rig.captured()]).toEqual(['current', '10']);
  });

  test('left alone for 24 hours: grace', async () => {
    await rig.given(START, 'requires_action');
    await rig.invoice({ anchor: START });
    await rig.to('2026-01-08T00:00:00Z');
    expect(rig.states()).toEqual(['01-06T00:00 action_required', '01-07T00:00 grace']);
    expect(await rig.attempts()).toEqual(['01-06T00:00 declined authentication']);
  });
});

describe('an outage of the provider', () => {
  test('is no decline: tried after 5, 10, 20 minutes until it is over', async () => {
    await rig.given(START, 'outage:50m');
    await rig.invoice({ anchor: START });
    await rig.to('2026-01-06T06:00:00Z');
    expect(await rig.attempts()).toEqual(['01-06T01:15 succeeded']);
    expect([rig.states(), rig.types()]).toEqual([[], ['payment.succeeded']]);
  });

  test('that lasts longer than the schedule waits for an operator with access kept', async () => {
    await rig.given(START, 'refused');
    await rig.invoice({ anchor: START });
    await rig.to('2026-03-06T00:00:00Z');
    expect([await rig.attempts(), rig.states(), rig.types()]).toEqual([[], [], ['provider_unreachable']]);
  });
});

describe('a process that dies with an attempt stored', () => {
  const provider = () => rig.service.app.get(PaymentProvider, { strict: false });

  test('before it was sent: charged once, a minute later', async () => {
    await rig.given(START, 'ok');
    const death = jest.spyOn(provider(), 'charge').mockRejectedValueOnce(new Error('killed'));
    await rig.invoice({ anchor: START });
    expect([await rig.captured(), death.mock.calls.length]).toEqual(['0', 1]);
    await rig.to('2026-01-07T00:00:00Z');
    expect([await rig.captured(), await rig.attempts()]).toEqual(['10', ['01-06T00:01 succeeded']]);
  });

  test('after it was sent: found by its key, not charged again', async () => {
    await rig.given(START, 'ok');
    await rig.provide({ hold: true });
    const charge = provider().charge.bind(provider());
    jest.spyOn(provider(), 'charge').mockImplementationOnce(async (request) => {
      await charge(request);
      throw new Error('killed');
    });
    await rig.invoice({ anchor: START });
    await rig.to('2026-01-07T00:00:00Z');
    expect([await rig.captured(), await rig.attempts()]).toEqual(['10', ['01-06T00:00 succeeded']]);
  });

  test('the provider’s own death loses no capture and repeats none', async () => {
    await rig.given(START, 'timeout_captured');
    await rig.invoice({ anchor: START });
    await rig.restartSandbox();
    await rig.to('2026-01-07T00:00:00Z');
    expect([await rig.captured(), await rig.state()]).toEqual(['10', 'current']);
  });
});

test('whatever races for one invoice, one capture comes of it', async () => {
  await rig.given(START, null);
  const method = await rig.card('ok');
  const invoice = rig.invoiceFacts({ anchor: START });
  const [published, ...answers] = await Promise.all([
    rig.billing(invoice, 'opened'),
    ...Array.from({ length: 8 }, (_, index) => rig.pay(invoice, method, index % 2 === 0 ? 'api' : 'hosted')),
  ]);
  expect(published).toBeUndefined();
  expect(answers.filter((answer) => answer.outcome === 'succeeded').length).toBeLessThanOrEqual(1);
  await rig.settle();
  expect([await rig.captured(), rig.types()]).toEqual(['10', ['payment.succeeded']]);
});

test('a network’s cap uses the step up and leaves the state alone', async () => {
  const gaps = Array.from({ length: 40 }, () => '1h');
  const policy = {
    key: 'hourly',
    schedules: { generic: { gaps } },
    warn: '3d',
    suspend: '14d',
    end: '30d',
    min_notice: '48h',
    min_amount: {},
    final_action: 'cancel' as const,
    snap: false,
  };
  await rig.given(START, 'decline:do_not_honor', { dunning_policies: [policy] }, { brand: 'mastercard' });
  await rig.invoice({ anchor: START, dunningPolicy: 'hourly' });
  await rig.to('2026-01-07T12:00:00Z');
  const days = (await rig.attempts()).map((text) => text.slice(0, 5));
  expect(days.filter((day) => day === '01-06')).toHaveLength(10);
  expect(rig.states()).toEqual(['01-06T00:00 grace']);
});

describe('paying when asked', () => {
  test('a draft is charged once and dunned never', async () => {
    await rig.given(START, null);
    const method = await rig.card('decline:insufficient_funds');
    const draft = rig.invoiceFacts({ anchor: START, status: 'draft', kind: 'top_up' });
    expect(await rig.pay(draft, method)).toMatchObject({
      outcome: 'declined',
      declineClass: 'funds',
      declineCode: 'insufficient_funds',
    });
    await rig.to('2026-02-01T00:00:00Z');
    expect([await rig.attempts(), rig.states()]).toEqual([['01-06T00:00 declined funds'], []]);
  });

  test('what is not owed is refused', async () => {
    await rig.given(START, null);
    const method = await rig.card('ok');
    const invoice = await rig.invoice({ anchor: START });
    expect(await rig.pay(invoice, method)).toEqual({ outcome: 'refused', code: 'nothing_owed' });
  });

  test('a hosted payment needs no stored method', async () => {
    await rig.given(START, null);
    const invoice = await rig.invoice({ anchor: START });
    expect(await rig.pay(invoice, null)).toEqual({ outcome: 'refused', code: 'payment_method_missing' });
    expect(await rig.pay(invoice, null, 'hosted')).toMatchObject({ outcome: 'succeeded' });
    await rig.settle();
    expect(await rig.state()).toBe('current');
  });

  test('a stolen card is not tried again, whoever asks', async () => {
    await rig.given(START, null);
    const method = await rig.card('decline:stolen_card');
    const invoice = await rig.invoice({ anchor: START });
    expect(await rig.pay(invoice, method)).toEqual({ outcome: 'refused', code: 'retry_forbidden' });
    expect(await rig.attempts()).toHaveLength(1);
  });
});

test.each(['2026-01-31T00:00:00Z', '2026-02-28T12:00:00Z', '2028-02-29T00:00:00Z', '2026-12-31T23:59:59Z'])(
  'deadlines from the month end %s are multiples of a day from the anchor',
  async (anchor) => {
    await rig.given(anchor, 'decline:lost_card');
    await rig.invoice({ anchor });
    const day = (count: number) => new Date(Date.parse(anchor) + count * 86_400_000).toISOString();
    await rig.to(day(31));
    expect(rig.states()).toEqual([
      `${day(0).slice(5, 16)} grace`,
      `${day(3).slice(5, 16)} warned`,
      `${day(14).slice(5, 16)} suspended`,
      `${day(30).slice(5, 16)} ended`,
    ]);
  },
);
