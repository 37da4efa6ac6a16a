import { parseArgs } from 'node:util';
import { type ChaosReport, RealStack, runChaos } from '@tallygate/testing';
import type { Output } from './output';

const OPTIONS = {
  minutes: { type: 'string' },
  rounds: { type: 'string', default: '5' },
  seed: { type: 'string' },
} as const;

const USAGE = 'usage: chaos [--rounds N | --minutes N] [--seed S]';

/**
 * `chaos [--rounds N | --minutes N] [--seed S]`: breaks the real stack, with two ledgers, under load: kills every
 * process N times in turn (5 when nothing is said), or for N minutes kills and pauses processes and ends connections of
 * the database at random. 0: nothing was lost or counted twice; 1: something was.
 */
export async function chaosCommand(words: readonly string[], output: Output): Promise<number> {
  const { values } = parseArgs({ args: [...words], options: OPTIONS });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const mode =
    values.minutes === undefined ? { rounds: Number(values.rounds) } : { minutes: Number(values.minutes) };
  if (![seed, ...Object.values(mode)].every((value) => Number.isFinite(value) && value >= 0)) {
    output.error(USAGE);
    return 2;
  }
  output.line(`seed ${seed}; starting the real stack`);
  const stack = await RealStack.start({
    ledgers: 2,
    stopPoint: 'ledger_claim_positions',
  });
  try {
    const report = await runChaos(stack, { seed, mode, say: (line) => output.line(line) });
    for (const line of linesOf(report)) output.line(line);
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    await stack.close();
  }
}

function linesOf(report: ChaosReport): readonly string[] {
  const { violations } = report;
  return [
    `seed ${report.seed}: ${report.kills} kills, ${report.pauses} pauses (${report.pausesAtPoint} with a slice in hand), ${report.terminations} connections ended`,
    `${report.sent} events sent, ${report.acknowledged} acknowledged, ${report.repeats} sent again, ${report.conflicts} in conflict; ${report.purchases} purchases`,
    ...Object.entries(report.gateAnswers).map(([what, count]) => `gate, ${what}: ${count}`),
    `at rest ${report.restSeconds} s after the load ended`,
    ...(violations.length === 0 ? ['no violations'] : [`${violations.length} VIOLATIONS`, ...violations]),
  ];
}
