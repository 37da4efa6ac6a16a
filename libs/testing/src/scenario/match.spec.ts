import { match } from './match';
import { dateInZone } from './moments';

const context = { dateAsInstant: (text: string) => dateInZone(text, 'Europe/Berlin') };
const agrees = (expected: unknown, found: unknown) => match(expected, found, context) === null;

describe('match', () => {
  it.each([
    // what is expected, what was found, whether it holds
    ['0', '0', true],
    ['0.50', '0.5', true],
    ['1', '1.000000001', false],
    [200, 200, true],
    [200, '200', true],
    ['2026-03-01T00:00:00Z', '2026-03-01T01:00:00+01:00', true],
    ['2026-03-01', '2026-02-28T23:00:00Z', true],
    ['2026-03-01', '2026-03-01T00:00:00Z', false],
    [null, undefined, true],
    [null, null, true],
    [null, '0', false],
    [true, true, true],
    [true, 'true', false],
    ['ok', 'okay', false],
    [{ a: '1' }, { a: '1', b: 2 }, true],
    [{ a: '1' }, null, false],
    [['a', 'b'], ['a', 'b'], true],
    [['a'], ['a', 'b'], false],
    [{ contains: ['a', 'c'] }, ['a', 'b', 'c'], true],
    [{ contains: ['c', 'a'] }, ['a', 'b', 'c'], false],
    [{ contains: [] }, [], true],
    [{ count: 2 }, ['a', 'b'], true],
    [{ count: { lte: 1 } }, ['a', 'b'], false],
    [{ gte: 1, lte: '2.5' }, '2.5', true],
    [{ gte: 1, lte: '2.5' }, '2.500000001', false],
    [{ gte: '2026-03-01T00:00:00Z' }, '2026-02-28T23:59:59.999999Z', false],
    [{ in: ['a', 'b'] }, 'b', true],
    [{ in: ['a', 'b'] }, 'c', false],
    [{ matches: '^ab+$' }, 'abbb', true],
    [{ matches: '^ab+$' }, 'xabbb', false],
  ])('%j against %j: %s', (expected, found, holds) => {
    expect(agrees(expected, found)).toBe(holds);
  });

  it('names the place of the first difference', () => {
    const found = { grants: [{ key: 'g1', remaining: '3' }] };
    expect(match({ grants: [{ key: 'g1', remaining: '4' }] }, found, context)).toEqual({
      path: 'grants[0].remaining',
      expected: '4',
      found: '3',
    });
  });
});
