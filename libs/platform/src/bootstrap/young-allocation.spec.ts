import { execFileSync } from 'node:child_process';
import { NO_PRETENURING } from './young-allocation';

/** Makes objects that all outlive several collections, as the events of a backlog do. */
const BACKLOG = `
  const make = (count) => Array.from({ length: count }, (_, id) => ({ id, parts: [id, { deep: [id] }] }));
  const kept = [];
  for (let slice = 0; slice < 200; slice += 1) {
    kept.push(make(2_000));
    if (kept.length > 60) kept.shift();
  }`;

/** @returns what V8 says of the places it learnt to allocate from among the old */
function learntFrom(before: string): readonly string[] {
  const said = execFileSync(
    process.execPath,
    ['--trace-pretenuring-statistics', '-e', `${before};${BACKLOG}`],
    {
      encoding: 'utf8',
      env: {},
    },
  );
  return said.split('\n').filter((line) => line.includes('=> tenure') || line.includes('=> maybe tenure'));
}

it('keeps V8 from allocating among the old what a backlog made', () => {
  expect(learntFrom('')).not.toEqual([]);
  expect(learntFrom(`require('node:v8').setFlagsFromString('${NO_PRETENURING}')`)).toEqual([]);
});
