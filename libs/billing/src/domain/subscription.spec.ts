import { planSchema } from '@tallygate/contracts';
import { formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { SoldPlan, Subscription } from './subscription';
import { dueAt, statusOf } from './subscription';
import { cancel, changePlan, pause, resume } from './subscription-change';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';
import { methodAdded, paid, paymentHeld, settled, standingChanged } from './subscription-money';
import { approve, reject, subscribe } from './subscription-start';
import type { Decision } from './subscription-start';
import { nextStep } from './subscription-time';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};
const START = at('2026-01-31T00:00:00Z');

const sold = (terms: Partial<Parameters<typeof planSchema.parse>[0] & object> = {}): SoldPlan => ({
  key: 'basic',
  version: 1,
  terms: planSchema.parse({ key: 'basic', amount: '49', ...terms }),
});

const events = (decision: Decision): readonly SubscriptionEvent[] => {
  if (!decision.ok) throw new Error(`refused: ${decision.error}`);
  return decision.value;
};

const NOTHING = undefined as unknown as Subscription;

interface Asked {
  readonly plan?: SoldPlan;
  readonly hasMethod?: boolean;
  readonly startsAt?: Instant;
  readonly zone?: string;
  readonly at?: Instant;
}

const asked = ({ plan = sold(), hasMethod = true, startsAt, zone = 'UTC', at: when = START }: Asked = {}) =>
  events(
    subscribe(null, {
      id: 's1',
      customerId: 'c1',
      zone,
      currency: 'USD',
      plan,
      at: when,
      startsAt: startsAt ?? null,
      trialDays: null,
      discount: null,
      hasMethod,
      standing: null,
    }),
  );
const begun = (how: Asked = {}) => evolveAll(NOTHING, asked(how));
const invoices = (list: readonly SubscriptionEvent[]) =>
  list.flatMap((event) =>
    event.type === 'charged'
      ? [`${formatInstant(event.charge.anchor)} ${event.charge.purpose} ${event.charge.total}`]
      : [],
  );
/** Everything that falls due up to `until`, as the sweeper does it. */
const passTime = (state: Subscription, until: Instant, hasMethod: boolean): SubscriptionEvent[] => {
  const step = nextStep(state, until, hasMethod);
  return step.length === 0 ? [] : [...step, ...passTime(evolveAll(state, step), until, hasMethod)];
};
const standing = (state: Subscription['standing']['state'], version: number) => ({
  standing: { state, suspendAt: null, version },
  finalAction: null,
  downgradeTo: null,
});

describe('the first state of a subscription', () => {
  test.each([
    ['a plain plan', {}, true, 'active', 1],
    ['a plain plan without a method', {}, false, 'active', 1],
    ['a gated first payment', { first_payment: 'gate' }, true, 'incomplete', 1],
    ['a gated first payment of nothing', { first_payment: 'gate', amount: '0' }, true, 'active', 1],
    ['a trial', { trial_days: 14 }, false, 'trialing', 0],
    [
      'a trial that requires a method, with one',
      { trial_days: 14, trial_requires_method: true },
      true,
      'trialing',
      0,
    ],
    [
      'a trial that requires a method, without',
      { trial_days: 14, trial_requires_method: true },
      false,
      'incomplete',
      0,
    ],
    ['a plan that requires approval', { requires_approval: true }, true, 'pending_approval', 0],
  ] as const)('%s', (_, terms, hasMethod, status, charges) => {
    const happened = asked({ plan: sold(terms), hasMethod });
    expect(statusOf(evolveAll(NOTHING, happened))).toBe(status);
    expect(invoices(happened)).toHaveLength(charges);
  });

  test('a later start waits for it and invoices then', () => {
    const state = begun({ startsAt: at('2026-02-10T00:00:00Z') });
    expect(statusOf(state)).toBe('not_started');
    const happened = passTime(state, at('2026-02-10T00:00:00Z'), true);
    expect(invoices(happened)).toEqual(['2026-02-10T00:00:00Z period 49000000000']);
    expect(statusOf(evolveAll(state, happened))).toBe('active');
  });

  test('a second one beside it is refused', () => {
    const second = subscribe(begun(), {} as never);
    expect(second).toEqual({ ok: false, error: 'subscription_exists' });
  });

  test('approval begins periods and the 48 hours; rejection ends it', () => {
    const state = begun({ plan: sold({ requires_approval: true, first_payment: 'gate' }) });
    const later = at('2026-02-05T12:00:00Z');
    const approved = evolveAll(state, events(approve(state, later, true)));
    expect([statusOf(approved), dueAt(approved)]).toEqual(['incomplete', at('2026-02-07T12:00:00Z')]);
    expect(statusOf(evolveAll(state, events(reject(state, later))))).toBe('canceled');
    expect(approve(approved, later, true)).toEqual({ ok: false, error: 'not_pending_approval' });
  });
});

describe('renewal', () => {
  test('month ends do not drift', () => {
    const state = begun();
    expect(
      invoices(passTime(state, at('2026-05-31T00:00:00Z'), true)).map((line) => line.slice(0, 10)),
    ).toEqual(['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']);
  });

  test('a change of clocks moves the instant, not the local time', () => {
    const state = begun({ zone: 'Europe/Berlin', at: at('2026-03-14T23:00:00Z') });
    expect(formatInstant(state.periodEnd)).toBe('2026-04-14T22:00:00Z');
  });

  test('time in one step or in many ends in the same state', () => {
    const until = at('2026-09-01T00:00:00Z');
    const inOne = evolveAll(begun(), passTime(begun(), until, true));
    let inMany = begun();
    for (let day = START as number; day <= until; day += 86_400_000_000)
      inMany = evolveAll(inMany, passTime(inMany, day as Instant, true));
    expect(inMany).toEqual(inOne);
  });

  test('while suspended no period is invoiced; the one in which service resumes is, pro rata', () => {
    const state = begun();
    const suspended = evolveAll(
      state,
      standingChanged(state, standing('suspended', 1), at('2026-02-20T00:00:00Z')),
    );
    const quiet = passTime(suspended, at('2026-03-31T00:00:00Z'), true);
    expect(invoices(quiet)).toEqual([]);
    const later = evolveAll(suspended, quiet);
    const back = standingChanged(later, standing('current', 2), at('2026-04-15T00:00:00Z'));
    // 15 of the 30 days from 31 March to 30 April are left.
    expect(invoices(back)).toEqual(['2026-04-15T00:00:00Z period 24500000000']);
    const again = evolveAll(later, back);
    expect(standingChanged(again, standing('suspended', 1), at('2026-04-16T00:00:00Z'))).toEqual([]);
  });

  test('a suspension inside a period already invoiced charges nothing more', () => {
    const state = begun();
    const suspended = evolveAll(
      state,
      standingChanged(state, standing('suspended', 1), at('2026-02-10T00:00:00Z')),
    );
    expect(invoices(standingChanged(suspended, standing('current', 2), at('2026-02-20T00:00:00Z')))).toEqual(
      [],
    );
  });

  test('a pause counts as a rest too', () => {
    const state = evolveAll(begun(), events(pause(begun(), at('2026-02-10T00:00:00Z'))));
    const later = evolveAll(state, passTime(state, at('2026-03-01T00:00:00Z'), true));
    expect(later.invoicedPeriod).toBe(START);
    expect(invoices(events(resume(later, at('2026-03-15T12:00:00Z'))))).toEqual([
      '2026-03-15T12:00:00Z period 24500000000',
    ]);
    expect(resume(begun(), START)).toEqual({ ok: false, error: 'not_paused' });
  });
});

describe('incomplete', () => {
  const gate = sold({ first_payment: 'gate' });

  test('is paid: the first period begins with the payment and is not invoiced again', () => {
    const state = begun({ plan: gate });
    const when = at('2026-02-01T06:00:00Z');
    const happened = paid(state, 'activation', when);
    const active = evolveAll(state, happened);
    expect([statusOf(active), active.periodStart]).toEqual(['active', when]);
    expect(invoices(happened)).toEqual([]);
    expect(invoices(passTime(active, at('2026-03-01T06:00:00Z'), true))).toHaveLength(1);
  });

  test('expires after 48 hours, exactly, and withdraws its invoice', () => {
    const state = begun({ plan: gate });
    expect(passTime(state, at('2026-02-01T23:59:59.999999Z'), true)).toEqual([]);
    expect(passTime(state, at('2026-02-02T00:00:00Z'), true).map(({ type }) => type)).toEqual([
      'canceled',
      'charge_withdrawn',
    ]);
  });

  test('says which money step it waits for', () => {
    const state = begun({ plan: gate, hasMethod: false });
    expect(state.incompleteReason).toBe('method');
    const withMethod = evolveAll(state, methodAdded(state, START));
    expect(withMethod.incompleteReason).toBe('payment');
    expect(evolveAll(withMethod, paymentHeld(withMethod, 'activation', 'action')).incompleteReason).toBe(
      'action',
    );
  });
});

describe('a trial', () => {
  const plan = sold({ trial_days: 14 });
  const end = at('2026-02-14T00:00:00Z');

  test('with a method becomes active and is charged at its end', () => {
    const happened = passTime(begun({ plan }), end, true);
    expect(invoices(happened)).toEqual(['2026-02-14T00:00:00Z period 49000000000']);
  });

  test('without a method it is over until one is stored and paid', () => {
    const state = begun({ plan });
    const over = evolveAll(state, passTime(state, end, false));
    expect([statusOf(over), dueAt(over)]).toEqual(['trial_ended', null]);
    const added = methodAdded(over, at('2026-03-01T00:00:00Z'));
    expect(invoices(added)).toEqual(['2026-03-01T00:00:00Z activation 49000000000']);
    const charged = evolveAll(over, added);
    expect([statusOf(charged), methodAdded(charged, at('2026-03-02T00:00:00Z'))]).toEqual([
      'trial_ended',
      [],
    ]);
    expect(statusOf(evolveAll(charged, paid(charged, 'activation', at('2026-03-02T00:00:00Z'))))).toBe(
      'active',
    );
  });

  test('that requires a method counts its days from the method', () => {
    const state = begun({ plan: sold({ trial_days: 14, trial_requires_method: true }), hasMethod: false });
    const when = at('2026-02-01T12:00:00Z');
    const trial = evolveAll(state, methodAdded(state, when));
    expect([statusOf(trial), trial.trialEnd]).toEqual(['trialing', at('2026-02-15T12:00:00Z')]);
  });
});

describe('what dunning says', () => {
  test.each([
    ['current', 'active'],
    ['action_required', 'action_required'],
    ['grace', 'grace'],
    ['warned', 'warned'],
    ['suspended', 'suspended'],
    ['disputed', 'disputed'],
  ] as const)('%s shows as %s', (state, status) => {
    const present = begun();
    expect(statusOf(evolveAll(present, standingChanged(present, standing(state, 1), START)))).toBe(status);
  });

  test.each([
    ['cancel', 'canceled'],
    ['downgrade', 'free_tier'],
    ['write_off', 'written_off'],
    ['none', 'suspended'],
  ] as const)('the final action %s ends in %s', (finalAction, status) => {
    const news = { ...standing('ended', 4), finalAction, downgradeTo: sold({ key: 'free', amount: '0' }) };
    const present = begun();
    const after = evolveAll(present, standingChanged(present, news, at('2026-03-02T00:00:00Z')));
    expect(statusOf(after)).toBe(status);
  });

  test('an account written off closes once everything is paid', () => {
    const present = begun();
    const news = { ...standing('ended', 4), finalAction: 'write_off', downgradeTo: null } as const;
    const closed = evolveAll(present, standingChanged(present, news, START));
    expect(settled(closed, START)).toEqual([{ type: 'canceled', at: START }]);
  });
});

describe('changing the plan', () => {
  const pro = { ...sold({ key: 'pro', amount: '98' }), key: 'pro' };
  const small = { ...sold({ key: 'small', amount: '10' }), key: 'small' };
  const middle = at('2026-02-14T00:00:00Z');
  const command = (plan: SoldPlan, atPeriodEnd = false) => ({
    plan,
    discount: null,
    at: middle,
    atPeriodEnd,
  });

  test('an upgrade waits for the charge of the remaining time, then period and anchor stay', () => {
    const state = begun();
    const happened = events(changePlan(state, command(pro)));
    expect(invoices(happened)).toEqual(['2026-02-14T00:00:00Z change 24500000000']);
    const waiting = evolveAll(state, happened);
    expect([waiting.plan.key, changePlan(waiting, command(small))]).toEqual([
      'basic',
      { ok: false, error: 'change_pending' },
    ]);
    const changed = evolveAll(waiting, paid(waiting, 'change', middle));
    expect([changed.plan.key, changed.anchor, changed.periodEnd]).toEqual([
      'pro',
      state.anchor,
      state.periodEnd,
    ]);
  });

  test('a declined upgrade leaves the old plan untouched', () => {
    const state = begun();
    const waiting = evolveAll(state, events(changePlan(state, command(pro))));
    expect(evolveAll(waiting, paymentHeld(waiting, 'change', 'payment'))).toEqual(state);
  });

  test('a downgrade takes effect at the end of the period', () => {
    const state = begun();
    const waiting = evolveAll(state, events(changePlan(state, command(small))));
    expect(waiting.plan.key).toBe('basic');
    const happened = passTime(waiting, at('2026-02-28T00:00:00Z'), true);
    expect(invoices(happened)).toEqual(['2026-02-28T00:00:00Z period 10000000000']);
    expect(evolveAll(waiting, happened).plan.key).toBe('small');
  });

  test.each(['warned', 'suspended'] as const)('refused while %s', (state) => {
    const present = begun();
    const owing = evolveAll(present, standingChanged(present, standing(state, 1), START));
    expect(changePlan(owing, command(small))).toEqual({ ok: false, error: 'payment_past_due' });
  });

  test('a plan bought from the free tier starts a new period with its payment', () => {
    const news = { ...standing('ended', 4), finalAction: 'downgrade', downgradeTo: small } as const;
    const free = evolveAll(begun(), standingChanged(begun(), news, middle));
    const waiting = evolveAll(free, events(changePlan(free, command(pro))));
    const when = at('2026-02-14T00:00:05Z');
    const bought = evolveAll(waiting, paid(waiting, 'change', when));
    expect([statusOf(bought), bought.anchor, bought.plan.key]).toEqual(['active', when, 'pro']);
  });
});

test('cancel at the period end keeps serving until then', () => {
  const state = begun();
  const leaving = evolveAll(state, events(cancel(state, START, true)));
  expect([statusOf(leaving), dueAt(leaving)]).toEqual(['active', state.periodEnd]);
  const happened = passTime(leaving, state.periodEnd, true);
  expect(happened).toEqual([{ type: 'canceled', at: state.periodEnd }]);
  expect(cancel(evolveAll(leaving, happened), START, false)).toEqual({
    ok: false,
    error: 'subscription_ended',
  });
});
