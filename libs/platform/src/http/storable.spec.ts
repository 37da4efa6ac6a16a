import fc from 'fast-check';
import { unstorable } from './storable';

test.each([
  ['a text', 'a\0b', 'body'],
  ['a member', { name: 'a\0' }, 'name'],
  ['a key', { overdraft: { 'U\0D': '1' } }, 'overdraft'],
  ['half a surrogate pair', { list: ['fine', '\ud800'] }, 'list.1'],
])('%s that PostgreSQL cannot keep is named', (_, input, field) => {
  expect(unstorable(input)).toMatchObject({ field });
});

test('nesting that recursion would not bear is refused without recursion', () => {
  expect(unstorable(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)))).toMatchObject({
    problem: 'is nested too deeply',
  });
});

test('any other JSON passes', () => {
  const text = fc.string({ unit: 'binary' }).filter((one) => !/[\0\p{Surrogate}]/u.test(one));
  const json = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 20 });
  fc.assert(fc.property(fc.oneof(text, json), (value) => expect(unstorable(value)).toBeNull()));
});
