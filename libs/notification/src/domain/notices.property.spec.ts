import { NOTICE_KINDS } from '@tallygate/contracts';
import { MICROS, NANO, addMicros, formatInstant } from '@tallygate/kernel';
import * as fc from 'fast-check';
import { renderMessage } from './message';
import { type Stage, isOptional } from './notice';
import { grantReminders, instantOf, latestDue, replan, toPlan } from './reminders';
import { nextTry } from './retry';
import { CARD_LEADS, SUSPENSION_LEADS, leadTimes, usageRules } from './rules';
import { balanceCrossed, usageCrossed } from './thresholds';

const NOW = instantOf('2026-01-10T00:00:00Z');
const nano = fc.bigInt({ min: 0n, max: 200n }).map((units) => units * NANO);
const rules = fc
  .uniqueArray(fc.bigInt({ min: 1n, max: 150n }), { minLength: 1, maxLength: 5 })
  .map((at) => at.map((units) => ({ text: String(units), at: units * NANO })))
  .map((thresholds) => [{ thresholds, percent: true, recurring: null }]);

interface Usage {
  readonly version: number;
  readonly used: bigint;
}

/** What is said of a stream of facts by whoever keeps the latest version only. */
function said(stages: Parameters<typeof usageCrossed>[0], facts: readonly Usage[]): string[] {
  const out: string[] = [];
  let version = 0;
  let announced: Parameters<typeof usageCrossed>[3] = { percent: null, units: null };
  for (const fact of facts.filter((one) =>
    one.version > version ? ((version = one.version), true) : false,
  )) {
    const verdict = usageCrossed(stages, fact.used, 100n * NANO, announced);
    announced = verdict.announced;
    if (verdict.crossed) out.push(verdict.crossed.text);
  }
  return out;
}

describe('usage', () => {
  const stream = fc.array(nano, { minLength: 1, maxLength: 12 });
  const facts = (used: readonly bigint[]): Usage[] => used.map((one, at) => ({ version: at + 1, used: one }));

  test('repeats and stale versions say nothing new', () => {
    fc.assert(
      fc.property(rules, stream, fc.array(fc.nat(11)), (stages, used, again) => {
        const once = facts(used);
        const repeated = once.flatMap((fact, at) => [
          fact,
          ...once.filter((_, i) => i <= at && again.includes(i)),
        ]);
        expect(said(stages, repeated)).toEqual(said(stages, once));
      }),
    );
  });

  test('in any order no threshold is said twice, none is said that was not reached, and the highest always is', () => {
    const shuffled = stream.chain((used) =>
      fc.shuffledSubarray(facts(used), { minLength: used.length, maxLength: used.length }),
    );
    fc.assert(
      fc.property(rules, shuffled, (stages, order) => {
        const texts = said(stages, order);
        expect(new Set(texts).size).toBe(texts.length);
        expect([...texts].sort((a, b) => Number(a) - Number(b))).toEqual(texts);
        const last = order.reduce((latest, one) => (one.version > latest.version ? one : latest));
        const reached = stages[0]!.thresholds.filter(({ at }) => last.used >= at);
        const top = reached.reduce((most, { at }) => (at > most ? at : most), 0n);
        expect(BigInt(texts.at(-1) ?? 0) * NANO >= top).toBe(true);
      }),
    );
  });
});

test('a balance threshold is said once per fall, and again only after the balance was above it', () => {
  fc.assert(
    fc.property(rules, fc.array(nano, { maxLength: 20 }), (stages, balances) => {
      const armed = new Set(stages[0]!.thresholds.map(({ text }) => text));
      let fired: readonly string[] = [];
      for (const available of balances) {
        const { crossed, fired: next } = balanceCrossed(stages, available, fired);
        fired = next;
        const low = stages[0]!.thresholds.filter(({ at }) => available <= at);
        const fresh = low.filter(({ text }) => armed.has(text));
        const lowest = fresh.reduce<bigint | null>(
          (least, { at }) => (least === null || at < least ? at : least),
          null,
        );
        expect(crossed?.at ?? null).toBe(lowest);
        for (const { text, at } of stages[0]!.thresholds) {
          if (available > at) armed.add(text);
          else armed.delete(text);
        }
      }
    }),
  );
});

describe('reminders', () => {
  const leads = SUSPENSION_LEADS;
  const minutes = fc.integer({ min: -20 * 1440, max: 60 * 1440 });
  const ending = (offset: number) => {
    const expiresAt = formatInstant(addMicros(NOW, offset * MICROS.minute));
    const left = { unit: 'USD', grantId: 'g', grantKey: 'g', remaining: '1', status: 'active' as const };
    return grantReminders({ customerId: 'c', version: 1, expiresAt, ...left }, leads, 'UTC', NOW);
  };

  test('are planned before the event, never in the past, and planning again changes nothing', () => {
    fc.assert(
      fc.property(minutes, (offset) => {
        const planned = toPlan(ending(offset), new Set(), NOW);
        for (const { dueAt, endsAt } of planned) expect(NOW < dueAt && dueAt < endsAt).toBe(true);
        const stages = new Set(planned.map(({ stage }) => stage));
        expect(toPlan(ending(offset), stages, NOW)).toEqual(planned);
      }),
    );
  });

  test('one that came due and was not said yet survives being planned again; a new event forgets it', () => {
    const planned = toPlan(ending(8 * 1440), new Set(), NOW);
    const stages = new Set(planned.map(({ stage }) => stage));
    const later = addMicros(NOW, MICROS.day);
    expect(toPlan(ending(8 * 1440), stages, later).map(({ threshold }) => threshold)).toEqual([
      '7d',
      '3d',
      '1d',
    ]);
    expect(
      toPlan(ending(9 * 1440), stages, addMicros(NOW, 3 * MICROS.day)).map((one) => one.threshold),
    ).toEqual(['3d', '1d']);
  });

  test('things planned together, some repeatedly, are planned as if one after the other', () => {
    const thing = fc.record({ source: fc.constantFrom('g', 'h'), offset: fc.constantFrom(null, 1, 2, 5, 9) });
    const planOf = ({ source, offset }: { source: string; offset: number | null }) => {
      const reminders = offset === null ? [] : ending(offset * 1440).map((one) => ({ ...one, source }));
      return { customerId: 'c', kind: 'grant_expiring' as const, source, reminders };
    };
    const named = (stages: readonly Stage[]) =>
      new Map(stages.map((one) => [`${one.source} ${one.stage}`, one] as const));
    const after = (waiting: readonly Stage[], plans: Parameters<typeof replan>[1]): Stage[] => {
      const { keep, forget } = replan(waiting, plans, NOW);
      const left = named(waiting);
      for (const gone of named(forget).keys()) left.delete(gone);
      return [...new Map([...left, ...named(keep)]).values()];
    };
    fc.assert(
      fc.property(fc.array(thing), fc.array(thing), (before, things) => {
        const waiting = before.flatMap((one) => planOf(one).reminders);
        const plans = things.map(planOf);
        const alone = plans.reduce((stages, plan) => after(stages, [plan]), after(waiting, []));
        expect([...named(after(waiting, plans)).keys()].sort()).toEqual([...named(alone).keys()].sort());
      }),
    );
  });

  test('of several that came due together only the latest is said, and none after the event', () => {
    const all = ending(8 * 1440);
    expect(latestDue(all, NOW)?.threshold).toBe('1d');
    expect(latestDue(all, addMicros(NOW, 8 * MICROS.day))).toBeNull();
    expect(latestDue([], NOW)).toBeNull();
  });
});

describe('messages', () => {
  const nasty = fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '{', '}', '$') });
  const context = (text: string) => ({
    provider: text,
    timezone: 'Europe/Berlin',
    subject: text,
    threshold: text,
    details: { used: text, unit: text, brand: text, amount: text, plan: text },
    actionUrl: `https://portal.example/?q=${text}`,
    unsubscribeUrl: 'https://portal.example/off',
  });

  test('every text is escaped: the markup is that of the same message without special characters', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NOTICE_KINDS), nasty, (kind, text) => {
        const tags = (value: string) =>
          renderMessage(kind, context(value))
            .html.match(/<[^>]*>/g)
            ?.map((tag) => tag.slice(0, 3));
        expect(tags(text)).toEqual(tags('plain'));
      }),
    );
  });

  test.each(NOTICE_KINDS)(
    '%s has a template without blanks, with its link first and no forbidden word',
    (kind) => {
      const names = [
        'used',
        'included',
        'reached',
        'available',
        'run_out_at',
        'remaining',
        'unit',
        'expires_at',
      ];
      const more = [
        'trial_end',
        'period_end',
        'amount',
        'currency',
        'brand',
        'expires',
        'suspend_at',
        'decision',
      ];
      const details = Object.fromEntries([...names, ...more].map((name) => [name, `(${name})`]));
      const message = renderMessage(kind, { ...context('thing'), details, threshold: '7d' });
      const everything = `${message.subject} ${message.text} ${message.html}`;
      expect(everything).not.toMatch(/stolen|lost|\{|\}|undefined|card number/i);
      expect(message.text.split('\n')[0]).toContain('https://portal.example/');
      expect(message.subject.length).toBeGreaterThan(5);
    },
  );

  test('an instant is shown by the customer’s clock', () => {
    const details = { suspend_at: '2026-01-20T00:00:00Z' };
    expect(renderMessage('suspension_scheduled', { ...context('x'), details }).text).toContain(
      '2026-01-20 01:00 (Europe/Berlin)',
    );
  });
});

test('a delivery is tried for more than three days, ever later; one that must not fail never ends', () => {
  let at = NOW;
  for (let tries = 1, next = nextTry(tries, at, false); next !== null; next = nextTry(tries, at, false)) {
    expect(next > at).toBe(true);
    at = next;
    tries += 1;
    expect(tries).toBeLessThan(100);
  }
  expect(at - NOW).toBeGreaterThan(3 * MICROS.day);
  expect(nextTry(10_000, NOW, true)).not.toBeNull();
});

test('a catalog’s rule replaces the defaults of its feature, and one that says nothing throws nothing', () => {
  const base = { meters: [], features: [], prices: [], plans: [], dunning_policies: [], coupons: [] };
  const rule = { key: 'r', on: 'usage' as const, thresholds: ['x', 0.5], percent: false, feature: 'a' };
  const catalog = { ...base, notification_rules: [rule] };
  const texts = (feature: string) =>
    usageRules(catalog, feature).flatMap((one) => one.thresholds.map(({ text }) => text));
  expect(texts('a')).toEqual(['0.5']);
  expect(texts('b')).toEqual(['50', '80', '100']);
  const twice = { key: 'e', on: 'expiry' as const, thresholds: ['3d', '1d', '3d'], percent: false };
  const leads = leadTimes({ ...base, notification_rules: [twice, twice] }, 'expiry', 'USD');
  expect(leads.map(({ text }) => text)).toEqual(['3d', '1d']);
  expect(CARD_LEADS.map(({ text }) => text)).toEqual(['30d', '7d']);
  expect(isOptional('suspension_scheduled')).toBe(false);
});
