import { ForgettingCache } from './forgetting-cache';

let elapsed: number;
let cache: ForgettingCache<string>;
beforeEach(() => {
  elapsed = 0;
  cache = new ForgettingCache<string>(1_000, 2, () => elapsed);
});

test('remembers for its time, counted from before the look-up', () => {
  const keep = cache.intent('a');
  elapsed = 400;
  keep('x');
  elapsed = 999;
  expect(cache.get('a')).toBe('x');
  elapsed = 1_000;
  expect(cache.get('a')).toBeUndefined();
});

test('says when half of its time has passed', () => {
  cache.intent('a')('x');
  elapsed = 499;
  expect(cache.isAging('a')).toBe(false);
  elapsed = 500;
  expect(cache.isAging('a')).toBe(true);
  expect(cache.isAging('b')).toBe(false);
});

test('does not remember what was looked up before a change', () => {
  const keep = cache.intent('a');
  cache.forget('a');
  keep('from before the change');
  expect(cache.get('a')).toBeUndefined();
  cache.intent('a')('from after it');
  expect(cache.get('a')).toBe('from after it');
});

test('stays small', () => {
  for (const key of ['a', 'b', 'c']) cache.intent(key)(key);
  expect(['a', 'b', 'c'].filter((key) => cache.get(key) !== undefined)).toEqual(['c']);
});

test('forgets all', () => {
  cache.intent('a')('x');
  cache.forgetAll();
  expect(cache.get('a')).toBeUndefined();
});

test('looks up once for all who ask meanwhile, and again for those who ask after a change', async () => {
  const answers: ((value: string) => void)[] = [];
  const lookUp = () => new Promise<string>((resolve) => answers.push(resolve));
  const first = [cache.through('a', lookUp), cache.through('a', lookUp)];
  cache.forget('a');
  const later = cache.through('a', lookUp);
  expect(answers).toHaveLength(2);
  answers.forEach((answer, place) => answer(`look-up ${place}`));
  expect(await Promise.all([...first, later])).toEqual(['look-up 0', 'look-up 0', 'look-up 1']);
  expect(cache.get('a')).toBe('look-up 1');
});

test('a look-up that failed is tried again', async () => {
  await expect(cache.through('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await cache.through('a', () => Promise.resolve('x'))).toBe('x');
});
