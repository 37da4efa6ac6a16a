import { instantText } from '@tallygate/contracts';
import { z } from 'zod';
import { REFUSALS } from './refusals';

const SKIP = { topic: 'usage.metered', partition: 3, author: 'ann', reason: 'the topic was recreated' };

/** For the operator of the installation. */
export const PARTITIONS = {
  list: {
    id: 'listPartitions',
    summary: 'How far usage was taken, by partition',
    answer: z.array(
      z
        .strictObject({
          topic: z.string(),
          partition: z.int(),
          next: z.int(),
          epoch: z.int(),
          owner: z.string().nullable(),
          stopped: z.strictObject({ continues_at: z.int(), at: instantText }).nullable(),
        })
        .meta({ id: 'Partition' }),
    ),
    example: [
      { topic: 'usage.metered', partition: 3, next: 1200, epoch: 4, owner: 'ledger-1', stopped: null },
    ],
  },
  skip: {
    id: 'skipLostMessages',
    summary: 'Goes on behind lost messages, from the first that exists',
    body: { example: SKIP },
    answer: z.strictObject({
      topic: z.string(),
      partition: z.int(),
      author: z.string(),
      reason: z.string(),
      from: z.int(),
      to: z.int(),
    }),
    example: { ...SKIP, from: 1200, to: 1350 },
    refusals: [REFUSALS.partition_not_stopped(SKIP)],
  },
};
