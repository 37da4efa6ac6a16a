import type { PastBalanceFigures } from '../../ledger/run-past-balance';
import { below, reading } from '../figure';
import type { Figure } from '../figure';
import { benchProcess } from '../load/child';

/** The balance of a wallet with a long journal at an instant two years back. */
export async function pastBalance(entries: number): Promise<Figure> {
  const { withCheckpoints, fromEntries } = (await benchProcess('ledger/run-past-balance.js', [
    String(entries),
  ])) as PastBalanceFigures;
  const median = reading('median', withCheckpoints.median, 'ms');
  return {
    name: 'a balance two years back',
    readings: [median, reading('worst', withCheckpoints.worst, 'ms')],
    controls: [reading('from the entries alone', fromEntries.median, 'ms')],
    ratios: [],
    goals: [below(median, 20)],
    how:
      `One wallet with ${entries.toLocaleString('en')} entries over three years, each up to ten minutes later than ` +
      'what it is for; asked 21 times, as known at the end, and compared with the sum of its entries. Control: before ' +
      'the journal has its checkpoints.',
  };
}
