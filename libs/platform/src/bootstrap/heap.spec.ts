import { execFileSync } from 'node:child_process';
import { DOUBLE_AT_MOST, NO_PRETENURING } from './heap';

/** Beside what lives on, objects that outlive several collections, as the events of a backlog do. */
const BACKLOG = `
  const make = (count) => Array.from({ length: count }, (_, id) => ({ id, parts: [id, { deep: [id] }] }));
  const alive = make(400_000);
  const kept = [];
  let most = 0;
  for (let slice = 0; slice < 1_500; slice += 1) {
    kept.push(make(2_000));
    if (kept.length > 40) kept.shift();
    most = Math.max(most, process.memoryUsage().heapTotal);
  }
  console.log('most ' + most + ' beside ' + alive.length);`;

/** @param flag set as a service sets it @returns what the process printed */
function run(flag: string | null, ...options: readonly string[]): string {
  const set = flag === null ? '' : `require('node:v8').setFlagsFromString('${flag}');`;
  return execFileSync(process.execPath, [...options, '-e', set + BACKLOG], { encoding: 'utf8', env: {} });
}

/** @returns what V8 says of the places it learnt to allocate from among the old */
function learnt(flag: string | null): readonly string[] {
  const said = run(flag, '--trace-pretenuring-statistics');
  return said.split('\n').filter((line) => line.includes('=> tenure') || line.includes('=> maybe tenure'));
}

/** @returns bytes that the heap took at most */
function most(flag: string | null): number {
  return Number(/most (\d+)/.exec(run(flag))?.[1]);
}

it('keeps V8 from allocating among the old what a backlog made', () => {
  expect(learnt(null)).not.toEqual([]);
  expect(learnt(NO_PRETENURING)).toEqual([]);
});

it('keeps the heap from growing to several times what is alive', () => {
  expect(most(DOUBLE_AT_MOST)).toBeLessThan(0.8 * most(null));
});
