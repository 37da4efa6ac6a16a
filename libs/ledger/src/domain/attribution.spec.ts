import type { Nano } from '@tallygate/kernel';
import { hour } from '../testing/wallets';
import { drawsOf, growthOf, repaidOf, shareOf, without } from './attribution';
import type { DebtHistory, DrawRow, Stretch } from './attribution';

const n = (count: number): Nano => BigInt(count);
const stretch = (from: number, to: number): Stretch => ({ from: n(from), to: n(to) });

function row(version: number, fields: Partial<DrawRow>): DrawRow {
  return {
    version,
    kind: 'usage',
    effectiveAt: hour(0),
    lotId: null,
    debtId: null,
    free: 0n,
    debt: 0n,
    ...fields,
  };
}

const drawn = (version: number, lotId: string, amount: number) => row(version, { lotId, free: n(-amount) });
const owed = (version: number, amount: number) =>
  row(version, { kind: 'debt', debtId: 'd', debt: n(amount) });
const repaid = (version: number, lotId: string, amount: number) =>
  row(version, { kind: 'repayment', lotId, debtId: 'd', free: n(-amount), debt: n(-amount) });

describe('a share of a slice', () => {
  const rows = [drawn(1, 'a', 4), drawn(2, 'b', 6), owed(3, 5)];

  it.each<[string, Stretch, [number, number, number][]]>([
    ['inside one row', stretch(1, 3), [[1, 1, 3]]],
    [
      'over the end of a row',
      stretch(3, 6),
      [
        [1, 3, 4],
        [2, 0, 2],
      ],
    ],
    [
      'over all of them',
      stretch(0, 15),
      [
        [1, 0, 4],
        [2, 0, 6],
        [3, 0, 5],
      ],
    ],
    ['of nothing', stretch(4, 4), []],
  ])('lies %s', (_, part, found) => {
    expect(shareOf(rows, part).map((one) => [one.row.version, Number(one.from), Number(one.to)])).toEqual(
      found,
    );
  });

  it('is never more than the slice drew', () => {
    expect(() => shareOf(rows, stretch(14, 16))).toThrow('lies within');
  });
});

describe('a debt', () => {
  const history = (...rows: DrawRow[]): DebtHistory => ({ rows, holes: [] });
  const parts = (of: DebtHistory) =>
    repaidOf(of).map(({ row: by, from, to }) => [by.lotId, Number(from), Number(to)]);

  it('is repaid first in, first out, also while it grows', () => {
    const of = history(owed(1, 5), repaid(2, 'a', 3), owed(3, 4), repaid(4, 'b', 4));
    expect([...growthOf(of)]).toEqual([
      [1, 0n],
      [3, 5n],
    ]);
    expect(parts(of)).toEqual([
      ['a', 0, 3],
      ['b', 3, 7],
    ]);
  });

  it('leaves out what a correction took before the repayment, and no later one', () => {
    const rows = [owed(1, 5), owed(2, 5), repaid(4, 'a', 7), repaid(6, 'b', 1)];
    expect(parts({ rows, holes: [{ ...stretch(2, 4), version: 3 }] })).toEqual([
      ['a', 0, 2],
      ['a', 4, 9],
      ['b', 9, 10],
    ]);
    expect(parts({ rows, holes: [{ ...stretch(8, 9), version: 5 }] })).toEqual([
      ['a', 0, 7],
      ['b', 7, 8],
    ]);
  });
});

describe('what an event has drawn', () => {
  const debts = new Map([['d', { rows: [owed(2, 10), repaid(5, 'c', 8)], holes: [] }]]);
  const parts = [...shareOf([drawn(1, 'a', 6), owed(2, 10)], stretch(4, 12))];

  it('is its lots, then what repaid its debt, then what it owes still', () => {
    const event = shareOf([drawn(1, 'a', 6), owed(2, 10)], stretch(4, 16));
    expect(drawsOf(event, [], debts, hour(0))).toMatchObject([
      { kind: 'lot', lotId: 'a', amount: 2n, debtId: null },
      { kind: 'lot', lotId: 'c', amount: 8n, debtId: 'd' },
      { kind: 'owed', from: 8n, to: 10n },
    ]);
  });

  it('is less what its corrections gave back, newest first, each to the draw that it came from', () => {
    const back = [
      row(7, { kind: 'correction', lotId: 'c', debtId: 'd', free: 6n }),
      row(8, { kind: 'correction', lotId: 'a', free: 1n }),
    ];
    expect(drawsOf(parts, back, debts, hour(0))).toMatchObject([{ kind: 'lot', lotId: 'a', amount: 1n }]);
    expect(() => drawsOf(parts, [row(9, { lotId: 'a', free: 3n })], debts, hour(0))).toThrow('no more than');
  });
});

describe('a stretch without others', () => {
  it.each<[Stretch[], [number, number][]]>([
    [[], [[0, 10]]],
    [
      [stretch(3, 5)],
      [
        [0, 3],
        [5, 10],
      ],
    ],
    [[stretch(5, 12), stretch(0, 2)], [[2, 5]]],
    [[stretch(0, 6), stretch(2, 10)], []],
  ])('%j leaves %j', (covered, left) => {
    const found = without(stretch(0, 10), covered).map(({ from, to }) => [Number(from), Number(to)]);
    expect(found).toEqual(left);
  });
});
