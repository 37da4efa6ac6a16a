import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { isMeasured } from './figure';
import type { Figure, Outcome, Reading } from './figure';

export interface Report {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly outcomes: readonly Outcome[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of one minute, before the run: what else the machine did. */
  readonly loadBefore: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** One page: a table of everything, then how each was measured. */
export function pageOf(report: Report): string {
  const { machine } = report;
  return [
    '# Measured',
    '',
    `${report.date}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node},` +
      ` load before the run ${machine.loadBefore}.${report.quick ? ' A quick run: few samples.' : ''}`,
    'Absolute figures mean little without the control beside them, measured in the same run.',
    '',
    '| figure | measured | control in the same run | ratio | goal |',
    '|---|---|---|---|---|',
    ...report.outcomes.map(row),
    '',
    '## How',
    '',
    ...report.outcomes.filter(isMeasured).map(({ name, how }) => `- **${name}.** ${how}`),
    '',
  ].join('\n');
}

function row(outcome: Outcome): string {
  if (!isMeasured(outcome))
    return `| ${outcome.name} | not measured: ${oneLine(outcome.unmeasured)} | | | not met |`;
  const cells = [outcome.readings, outcome.controls, outcome.ratios].map((list) =>
    list.map(shown).join('<br>'),
  );
  return `| ${outcome.name} | ${cells.join(' | ')} | ${goalsOf(outcome)} |`;
}

const goalsOf = ({ goals }: Figure): string =>
  goals.map(({ text, met }) => `${text}: ${met ? 'met' : 'not met'}`).join('<br>');

const shown = ({ name, value, unit }: Reading): string =>
  [name, `${number(value)}${unit.startsWith('/') ? '' : ' '}${unit}`].filter((part) => part !== '').join(' ');

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 500);

/** Three digits that matter; whole above that. */
function number(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** The same as lines for a terminal. */
export function linesOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap((outcome) => {
    if (!isMeasured(outcome)) return [outcome.name, `    not measured: ${oneLine(outcome.unmeasured)}`];
    const listed = (title: string, list: readonly Reading[]) =>
      list.map((one) => `    ${title.padEnd(9)}${shown(one)}`);
    return [
      outcome.name,
      ...listed('', outcome.readings),
      ...listed('control', outcome.controls),
      ...listed('ratio', outcome.ratios),
      ...outcome.goals.map(({ text, met }) => `    ${'goal'.padEnd(9)}${text}: ${met ? 'met' : 'NOT MET'}`),
    ];
  });
}
