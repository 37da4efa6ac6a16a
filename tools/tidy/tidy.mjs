/**
 * Figures about the code that may only get better. `node tools/tidy/tidy.mjs` compares them with ratchet.json and ends 1
 * when one got worse; `--ratchet` writes the present ones where they are better. Figures are lines, counts, or counts
 * per 1,000 lines.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { countAny, functionLengths, percentile } from './measure.mjs';

const RATCHET = new URL('./ratchet.json', import.meta.url);
const LONGEST_FILE = 400;
const LONGEST_FUNCTION = 70;

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
}).split('\n');
const files = tracked.filter(
  (file) => /^(apps|libs|infra|bench)\/.*\.ts$/.test(file) && !file.endsWith('.d.ts'),
);
const isTest = (file) => /\.(spec|conformance|fixture)\.ts$/.test(file);
const source = files.filter((file) => !isTest(file));
const tests = files.filter(isTest);
const read = (file) => readFileSync(file, 'utf8');
const lines = (list) => list.reduce((sum, file) => sum + read(file).split('\n').length, 0);
const matching = (list, pattern) => list.flatMap((file) => linesMatching(file, pattern));

/** A line under a comment that begins with "Real time is what is tested" may wait. */
function linesMatching(file, pattern) {
  const all = read(file).split('\n');
  const excused = (index) => /\/\/ Real time is what is tested/.test(all[index - 1] ?? '');
  return all.flatMap((text, index) =>
    pattern.test(text) && !excused(index) ? [`${file}:${index + 1}: ${text.trim()}`] : [],
  );
}

/** Rules without a ratchet: each finding is a fault. */
const FORBIDDEN = [
  [
    'skipped or focused tests',
    tests,
    /\b(it|test|describe)\.(skip|only|todo)\b|\b(xit|xdescribe|fit|fdescribe)\(/,
  ],
  ['sleeps in tests', tests, /\bsetTimeout\(|\bsleep\(/],
  ['leftovers', files, /\b(TODO|FIXME|XXX)\b/],
  ['compiler errors silenced', files, /@ts-(ignore|nocheck|expect-error)/],
  ['floats for money', source, /\bparseFloat\(/],
  [
    'paths of one machine',
    tracked.filter((file) => /\.(ts|mjs|js|json|ya?ml|md|sh)$/.test(file)),
    new RegExp('/(home|Users|root)/[a-z]'),
  ],
];

const lengths = source.flatMap(functionLengths);
const sorted = lengths.map((one) => one.lines).sort((a, b) => a - b);
const sourceLines = lines(source);
const figures = {
  'function lines, median': percentile(sorted, 0.5),
  'function lines, 90th percentile': percentile(sorted, 0.9),
  [`functions over ${LONGEST_FUNCTION} lines`]: lengths.filter((one) => one.lines > LONGEST_FUNCTION).length,
  [`files over ${LONGEST_FILE} lines`]: source.filter((file) => lines([file]) > LONGEST_FILE).length,
  'any per 1,000 lines':
    Math.round((source.reduce((sum, file) => sum + countAny(file), 0) / sourceLines) * 100_000) / 100,
  'lint rules switched off': matching(files, /eslint-disable/).length,
};

const allowed = JSON.parse(readFileSync(RATCHET, 'utf8'));
const faults = FORBIDDEN.flatMap(([name, list, pattern]) =>
  matching(list, pattern).map((found) => `${name}: ${found}`),
);
for (const [name, value] of Object.entries(figures)) {
  const limit = allowed[name] ?? Infinity;
  console.log(`${name}: ${value} (at most ${limit})`);
  if (value > limit) faults.push(`${name}: ${value}, but ${limit} was reached before`);
}
console.log(
  `${source.length} source files with ${sourceLines} lines, ${tests.length} test files with ${lines(tests)} lines`,
);
if (read('package-lock.json').includes('"resolved": "http'))
  faults.push('package-lock.json records download addresses');

if (process.argv.includes('--ratchet')) {
  const better = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.min(value, allowed[name] ?? value)]),
  );
  writeFileSync(RATCHET, `${JSON.stringify(better, null, 2)}\n`);
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
