import { grantFaults, issueRecurring } from './grant';
import { emptyWallet, hour, units, work } from '../testing/wallets';

const daily = { months: 0, days: 1, micros: 0 };

describe('the terms of a grant', () => {
  const terms = { effectiveAt: hour(0), expiresAt: null, recurrence: null, rollover: null };

  it('let a series end before its first recurrence', () => {
    expect(grantFaults({ ...terms, expiresAt: hour(5), recurrence: { every: daily } }, hour(0))).toEqual([]);
  });

  it('refuse an end that is not after the start, or is over', () => {
    expect(grantFaults({ ...terms, expiresAt: hour(0) }, hour(0))).toEqual([
      'ends_before_start',
      'already_over',
    ]);
  });

  it('bound how many periods a series may have behind it', () => {
    const hourly = { ...terms, recurrence: { every: { months: 0, days: 0, micros: 3_600_000_000 } } };
    expect(grantFaults(hourly, hour(5_000))).toEqual([]);
    expect(grantFaults(hourly, hour(5_001))).toEqual(['too_many_periods']);
  });
});

describe('a rollover', () => {
  const terms = { effectiveAt: hour(0), expiresAt: null, recurrence: { every: daily } };

  it.each([
    [{ min: units(2), max: units(1) }, daily, ['rollover_min_above_max']],
    [{ min: units(2), max: units(2) }, daily, []],
    [{ min: units(2), max: null }, daily, []],
    [{ min: units(0), max: units(1) }, null, ['rollover_without_recurrence']],
  ])('%j every %j: %j', (rollover, recurrence, faults) => {
    const every = recurrence === null ? null : { every: recurrence };
    expect(grantFaults({ ...terms, rollover, recurrence: every }, hour(0))).toEqual(faults);
  });
});

describe('a recurring grant', () => {
  it('that ends before its first recurrence has one lot, cut at its end', () => {
    const recurrence = {
      grantId: 'g',
      grantKey: 'g',
      kind: 'promotional' as const,
      priority: 100,
      features: null,
      amount: units(10),
      every: daily,
      anchor: hour(0),
      startsAt: hour(0),
      zone: 'UTC',
      endsAt: hour(5),
      rollover: null,
      nextAt: hour(0),
    };
    const draft = work(emptyWallet({ recurrences: [recurrence] }), hour(0));
    issueRecurring(draft, draft.wallet.recurrences[0]!, hour(0));
    expect(draft.wallet.lots.map(({ effectiveAt, expiresAt }) => [effectiveAt, expiresAt])).toEqual([
      [hour(0), hour(5)],
    ]);
    expect(draft.wallet.recurrences[0]!.nextAt).toBeNull();
  });
});
