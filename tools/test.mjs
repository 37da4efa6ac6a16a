/**
 * Everything that proves the product, in the order in which a fault is cheapest to find. `node tools/test.mjs` runs it
 * all; names given as arguments run those steps only. It goes on after a failure, so that one run shows every fault, and
 * ends with `N passed, N failed`, summed over all steps.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const work = mkdtempSync(join(tmpdir(), 'tallygate-test-'));
const node = process.execPath;
const bin = (name) => join('node_modules', '.bin', name);
const scenarios = (folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder, file));
const cli = (...args) => [node, ['--enable-source-maps', 'dist/apps/cli/src/main.js', ...args]];

const STEPS = [
  { name: 'servers', says: 'gets the servers the tests need', run: () => simple('infra/local/install', []) },
  {
    name: 'build',
    says: 'builds every project',
    run: () => simple(bin('nx'), ['run-many', '-t', 'build', '--outputStyle=static']),
  },
  {
    name: 'types',
    says: 'checks the types',
    run: () => simple(bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']),
  },
  {
    name: 'lint',
    says: 'checks the rules, import boundaries and circles included',
    run: () => simple(bin('eslint'), ['apps', 'libs', 'infra', 'tools', 'bench']),
  },
  {
    name: 'format',
    says: 'checks the formatting',
    run: () => simple(bin('prettier'), ['--check', '--log-level', 'warn', '.']),
  },
  {
    name: 'tidy',
    says: 'compares the code with its own best figures',
    run: () => simple(node, ['tools/tidy/tidy.mjs']),
  },
  {
    name: 'jest',
    says: 'unit, property, conformance, integration and gateway tests on real servers',
    run: jest,
  },
  { name: 'scenarios', says: 'scenarios on the embedded default', run: () => runScenarios('embedded') },
  {
    name: 'scenarios-real',
    says: 'scenarios on Kafka, PostgreSQL and Redis',
    run: () => runScenarios('real'),
  },
];

function start(command, args, output) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', output ?? 'inherit', 'inherit'],
      env: process.env,
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 127, text: '' });
    });
    let text = '';
    child.stdout?.on('data', (chunk) => (text += chunk));
    child.on('exit', (code, signal) => resolve({ code: signal ? 128 : code, text }));
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  });
}

async function simple(command, args) {
  const { code } = await start(command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function jest() {
  const report = join(work, 'jest.json');
  const { code } = await start(bin('jest'), ['--maxWorkers=2', '--json', `--outputFile=${report}`], 'ignore');
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const broken = result.numRuntimeErrorTestSuites;
  const failed = result.numFailedTests + broken;
  return { passed: result.numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
}

async function runScenarios(stack) {
  const files = [...scenarios('scenarios'), ...scenarios('scenarios/must-fail')];
  const [command, args] = cli('scenario', '--json', '--stack', stack, ...files);
  const { text } = await start(command, args, 'pipe');
  const results = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  for (const { file, ok, message } of results)
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${file}${ok ? '' : `\n       ${message}`}`);
  const passed = results.filter((result) => result.ok).length;
  return { passed, failed: files.length - passed };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`unknown step ${unknown.join(', ')}; there are ${STEPS.map((step) => step.name).join(', ')}`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const step of STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startedAt = Date.now();
  console.log(`\n== ${step.name}: ${step.says}`);
  const result = await step.run();
  passed += result.passed;
  failed += result.failed;
  console.log(
    `== ${step.name}: ${result.passed} passed, ${result.failed} failed, ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
}
rmSync(work, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
