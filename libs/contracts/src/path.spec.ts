import { parsePath } from './path';

const steps = (text: unknown) => {
  const parsed = parsePath(text);
  return parsed.ok ? parsed.value : parsed.error.code;
};

describe('parsePath', () => {
  test.each([
    ['$', []],
    ['$.tokens', ['tokens']],
    ['$.a.b[0]', ['a', 'b', 0]],
    ['$.calls[10].model-name', ['calls', 10, 'model-name']],
    [`$['a name'].b`, ['a name', 'b']],
    [`$["it's"]`, [`it's`]],
    ['$.größe', ['größe']],
  ])('%s', (text, expected) => expect(steps(text)).toEqual(expected));

  test.each([
    '',
    'tokens',
    '$tokens',
    '$.',
    '$..a',
    '$.a.',
    '$[-1]',
    '$[*]',
    '$.a[',
    '$.*.b',
    '$.a b',
    `$['a`,
    '$[0',
    7,
    null,
  ])('refuses %j', (text) => expect(steps(text)).toBe('not_a_path'));
});
