import { catalogSchema } from '@tallygate/contracts';
import type { MeterReading } from '@tallygate/contracts';
import type { Fault } from './fault';
import { compileCatalog } from './meter';

function meterWith(
  data: object,
  meter: object,
  features: object[] = [],
): { readings: (MeterReading | null)[]; faults: Fault[] } {
  const meters = [{ key: 'm', event_type: 'call', aggregation: 'sum', value: '$.n', ...meter }];
  const catalog = compileCatalog(catalogSchema.parse({ meters, features }));
  const faults: Fault[] = [];
  const readings = (catalog.get('call') ?? []).map((compiled) => compiled.read(data as never, faults));
  return { readings, faults };
}

describe('quantities', () => {
  test.each([
    [5, '5'],
    [0, '0'],
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    ['12.50', '12.5'],
    ['9007199254740993', '9007199254740993'],
    ['1000000000000000000000000000', '1000000000000000000000000000'],
    [9007199254740991, '9007199254740991'],
  ])('%j reads as %s', (n, quantity) => {
    expect(meterWith({ n }, {})).toEqual({
      readings: [{ meter: 'm', quantity, group: {}, features: [] }],
      faults: [],
    });
  });

  test.each([
    [undefined, 'absent', 'meter m reads its quantity here'],
    [null, 'null', 'meter m reads its quantity here'],
    // 2^53 + 1, as JSON.parse reads it.
    [9007199254740992, '9007199254740992', 'is a number that may have lost digits on its way'],
    [1e30, '1e+30', 'is a number that may have lost digits on its way'],
    ['1e3', '1e3', 'is written with an exponent'],
    [-5, '-5', 'is negative'],
    ['-0.5', '-0.5', 'is negative'],
    ['0.0000000001', '0.0000000001', 'has more than 9 decimals'],
    ['1000000000000000000000000001', '1000000000000000000000000001', 'is out of range'],
    ['twelve', 'twelve', 'is not a quantity'],
    ['', '', 'is not a quantity'],
    [true, 'true', 'is not a quantity'],
    [[5], 'array', 'is not a quantity'],
    [{ n: 5 }, 'object', 'is not a quantity'],
  ])('%j is refused', (n, value, problem) => {
    const { readings, faults } = meterWith({ n }, {});
    expect(readings).toEqual([null]);
    expect(faults).toEqual([
      { field: 'data.n', value, problem, fix: expect.stringMatching(/^(Send|Write)/) },
    ]);
  });

  test('an inexact number is answered with the advice to send a string, a negative one with that of a correction', () => {
    expect(meterWith({ n: 2 ** 53 }, {}).faults[0]?.fix).toContain('decimal string');
    expect(meterWith({ n: -1 }, {}).faults[0]?.fix).toContain('correction');
  });

  test('count needs no value', () => {
    const { readings } = meterWith({}, { aggregation: 'count', value: undefined });
    expect(readings).toEqual([{ meter: 'm', quantity: '1', group: {}, features: [] }]);
  });
});

describe('counted values', () => {
  const unique = { aggregation: 'unique_count', value: '$.user' };
  test.each([
    ['u1', 'u1'],
    [17, '17'],
    [false, 'false'],
  ])('%j counts as %s', (user, value) => {
    expect(meterWith({ user }, unique).readings).toEqual([{ meter: 'm', value, group: {}, features: [] }]);
  });

  test.each([undefined, null, '', {}, [], 2 ** 53, 'x'.repeat(256), 'a\u0000b', '\ud800'])(
    '%j is refused',
    (user) => {
      const { readings, faults } = meterWith({ user }, unique);
      expect(readings).toEqual([null]);
      expect(faults).toMatchObject([{ field: 'data.user' }]);
    },
  );
});

describe('groups', () => {
  const grouped = { group_by: { model: '$.model', first: '$.tags[0]' } };
  test('are texts; what is absent is left out', () => {
    expect(meterWith({ n: 1, model: 4, tags: ['a'] }, grouped).readings[0]?.group).toEqual({
      model: '4',
      first: 'a',
    });
    expect(meterWith({ n: 1, model: true, tags: [] }, grouped).readings[0]?.group).toEqual({ model: 'true' });
    expect(meterWith({ n: 1, model: null, tags: [''] }, grouped).readings[0]?.group).toEqual({});
  });

  test('that are no texts are refused, each with its place', () => {
    const { readings, faults } = meterWith({ n: 1, model: {}, tags: ['x'.repeat(256)] }, grouped);
    expect(readings).toEqual([null]);
    expect(faults.map((found) => found.field)).toEqual(['data.model', 'data.tags[0]']);
  });
});

describe('filters', () => {
  test.each<[string, unknown, unknown, boolean]>([
    ['eq', 'a', 'a', true],
    ['eq', 'a', 'b', false],
    ['eq', '1.0', '1', false],
    ['eq', 1, '1.0', true],
    ['eq', '10', 10, true],
    ['eq', 1, 1, true],
    ['eq', true, true, true],
    ['eq', true, 'true', false],
    ['eq', 'a', undefined, false],
    ['eq', null, undefined, true],
    ['eq', { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ['ne', 'a', 'b', true],
    ['ne', 'a', 'a', false],
    ['ne', 'a', undefined, true],
    ['in', ['a', 'b'], 'b', true],
    ['in', ['a', 7], '7', true],
    ['in', ['a'], 'c', false],
    ['in', ['a'], undefined, false],
    ['gt', 5, 5, false],
    ['gt', 5, '5.000000000000000000001', true],
    ['gte', 5, 5, true],
    ['gte', '9007199254740993', '9007199254740992', false],
    ['lt', -1, '-1.5', true],
    ['lt', 0, 5e-324, false],
    ['lt', 1e21, 999, true],
    ['lte', '0.10', 0.1, true],
    ['lte', 5, 'five', false],
    ['gt', 'five', 9, false],
    ['gt', 5, undefined, false],
    ['exists', undefined, 0, true],
    ['exists', true, undefined, false],
    ['exists', true, null, false],
    ['exists', false, undefined, true],
    ['exists', false, 'x', false],
  ])('%s %j on %j: %s', (op, value, v, expected) => {
    const { readings } = meterWith({ n: 1, v }, { filter: [{ path: '$.v', op, value }] });
    expect(readings[0] !== null).toBe(expected);
  });

  test('all must match', () => {
    const filter = [
      { path: '$.a', op: 'eq', value: 1 },
      { path: '$.b', op: 'eq', value: 2 },
    ];
    expect(meterWith({ n: 1, a: 1, b: 2 }, { filter }).readings[0]).not.toBeNull();
    expect(meterWith({ n: 1, a: 1, b: 3 }, { filter }).readings[0]).toBeNull();
  });

  test('what a filter leaves out has no faults', () => {
    const left = meterWith({ v: 2 }, { filter: [{ path: '$.v', op: 'eq', value: 1 }] });
    expect(left).toEqual({ readings: [null], faults: [] });
  });

  test('look at own properties only', () => {
    expect(meterWith({ n: 1 }, { filter: [{ path: '$.constructor.name', op: 'exists' }] }).readings).toEqual([
      null,
    ]);
  });

  test.each([
    [399, true],
    ['399', true],
    [undefined, true],
    [400, false],
    ['400', false],
    [503, false],
    ['error', true],
  ])('chargeable_only with status %j: %s', (status, counted) => {
    expect(meterWith({ n: 1, status }, { chargeable_only: true }).readings[0] !== null).toBe(counted);
  });
});

describe('features', () => {
  test('of the meter, those whose own filter matches', () => {
    const features = [
      { key: 'all', kind: 'quota', meter: 'm' },
      { key: 'big', kind: 'quota', meter: 'm', filter: [{ path: '$.n', op: 'gt', value: 10 }] },
      { key: 'other', kind: 'quota', meter: 'other' },
    ];
    expect(meterWith({ n: 5 }, {}, features).readings[0]?.features).toEqual(['all']);
    expect(meterWith({ n: 11 }, {}, features).readings[0]?.features).toEqual(['all', 'big']);
  });
});
