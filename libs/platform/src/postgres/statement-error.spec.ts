import { nameStatement, retrySerialization, sqlState } from './statement-error';

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('retrySerialization', () => {
  it.each([
    ['40001', 2, 3],
    ['40P01', 4, 5],
    ['40001', 9, null],
    ['23505', 1, null],
  ])('%s, %d failure(s): done at attempt %s', async (code, failures, expected) => {
    let attempts = 0;
    const work = retrySerialization(async () => {
      attempts += 1;
      if (attempts <= failures) throw failure(code);
      return attempts;
    });
    if (expected === null) await expect(work).rejects.toMatchObject({ code });
    else expect(await work).toBe(expected);
    expect(attempts).toBeLessThanOrEqual(5);
  });
});

describe('nameStatement', () => {
  it('names the innermost statement once', () => {
    const error = nameStatement(nameStatement(failure('23505'), 'inner'), 'outer');
    expect(error).toMatchObject({ statement: 'inner', message: '23505 (statement inner)' });
    expect(sqlState(error)).toBe('23505');
  });

  it('leaves what is no error alone', () => {
    expect([nameStatement('text', 's'), sqlState('text'), sqlState(new Error('x'))]).toEqual([
      'text',
      null,
      null,
    ]);
  });
});
