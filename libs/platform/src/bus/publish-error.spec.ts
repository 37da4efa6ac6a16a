import { inspect } from 'node:util';
import { PublishError } from './publish-error';

it('says how many messages were not taken, and prints none of them', () => {
  const message = { key: 'of-a-customer', value: Buffer.from('secret'), headers: {} };
  const error = new PublishError('usage.raw', [message], new Error('no broker'));
  expect(error.failed).toEqual([message]);
  expect(error.message).toBe('1 message(s) of usage.raw were not taken: no broker');
  expect(inspect(error, { depth: null })).not.toContain('of-a-customer');
});
