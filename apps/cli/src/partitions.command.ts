import { parseArgs } from 'node:util';
import { SystemClock } from '@tallygate/kernel';
import { type PartitionState, type UsagePartitions, usagePartitionsOver } from '@tallygate/ledger';
import { type Environment, processEnvironment } from '@tallygate/platform';
import { onLedgerDatabase } from './ledger-database';
import type { Output } from './output';

const OPTIONS = {
  topic: { type: 'string', default: 'usage.metered' },
  partition: { type: 'string' },
  author: { type: 'string' },
  reason: { type: 'string' },
} as const;

const USAGE = `usage: partitions
       partitions skip [--topic T] --partition N --author NAME --reason TEXT
with DATABASE_URL and DATABASE_ROLE_SECRET set`;

/**
 * `partitions`: how far usage was taken, and which partitions stand still because the log lost messages; ends with 1 when
 * one does. `partitions skip …` lets one go on from the first message that exists, and keeps who did it and why.
 */
export async function partitionsCommand(
  words: readonly string[],
  output: Output,
  environment: Environment = processEnvironment(),
): Promise<number> {
  const asked = askedOf(words);
  if (asked === null) {
    output.error(USAGE);
    return 2;
  }
  return onLedgerDatabase(environment, output, (database) => {
    const partitions = usagePartitionsOver(database, new SystemClock());
    return asked === 'list' ? list(partitions, output) : skip(partitions, asked, output);
  });
}

interface Skip {
  readonly topic: string;
  readonly partition: number;
  readonly author: string;
  readonly reason: string;
}

function askedOf(words: readonly string[]): Skip | 'list' | null {
  if (words.length === 0) return 'list';
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const { topic, author = '', reason = '' } = values;
    const partition = Number(values.partition ?? -1);
    const usable = Number.isSafeInteger(partition) && partition >= 0 && author !== '' && reason !== '';
    return usable && positionals.join() === 'skip' ? { topic, partition, author, reason } : null;
  } catch {
    return null;
  }
}

async function list(partitions: UsagePartitions, output: Output): Promise<number> {
  const states = await partitions.list();
  for (const state of states) output.line(lineOf(state));
  return states.some(({ stop }) => stop !== null) ? 1 : 0;
}

function lineOf({ topic, partition, next, epoch, owner, stop }: PartitionState): string {
  const place = `${topic}/${partition}: next ${next}, epoch ${epoch}, owner ${owner ?? 'none'}`;
  return stop === null ? place : `${place}; STANDS STILL: the log continues at ${stop.first}`;
}

async function skip(partitions: UsagePartitions, request: Skip, output: Output): Promise<number> {
  const outcome = await partitions.skip(request, new SystemClock().now());
  const name = `${request.topic}/${request.partition}`;
  if (outcome.status === 'not_stopped') {
    output.error(`${name} does not stand still; nothing was changed`);
    return 1;
  }
  output.line(
    `${name} goes on at ${outcome.to}; usage at offsets ${outcome.from} to ${outcome.to - 1n} is lost`,
  );
  return 0;
}
