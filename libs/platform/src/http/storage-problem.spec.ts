import { storageProblem } from './storage-problem';

const of = (code: string | undefined, message = 'x', cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), code === undefined ? {} : { code });

describe('an error of the database', () => {
  it.each([
    ['the disk is full', of('53100'), 'storage_full'],
    ['the bus was refused because the disk is full', of(undefined, 'publish', of('53100')), 'storage_full'],
    ['there are too many connections', of('53300'), 'storage_unavailable'],
    ['an administrator ended the connection', of('57P01'), 'storage_unavailable'],
    ['it starts', of('57P03'), 'storage_unavailable'],
    ['it cannot be reached', of('ECONNREFUSED'), 'storage_unavailable'],
    ['the connection was cut', of(undefined, 'Connection terminated unexpectedly'), 'storage_unavailable'],
    [
      'no connection became free',
      of(undefined, 'timeout exceeded when trying to connect'),
      'storage_unavailable',
    ],
  ])('is a 503 to be repeated when %s', (_, error, code) => {
    expect(storageProblem(error)).toMatchObject({
      problem: { status: 503, code, retryable: true },
      headers: { 'retry-after': '5' },
    });
  });

  it.each([
    ['a constraint', of('23505')],
    ['a syntax error', of('42601')],
    ['something else', of('FST_ERR_CTP')],
    ['no error', 'x'],
  ])('is no such thing when it is %s', (_, error) => {
    expect(storageProblem(error)).toBeNull();
  });
});
