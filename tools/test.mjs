/**
 * Everything that proves the product, in the order in which a fault is cheapest to find. `node tools/test.mjs` runs it
 * all; names given as arguments run those steps only. It goes on after a failure, so that one run shows every fault, and
 * ends with `N passed, N failed`, summed over all steps.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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
  {
    name: 'openapi',
    says: 'schemathesis against the embedded default, by operation of its OpenAPI document',
    run: openapi,
  },
  { name: 'scenarios', says: 'scenarios on the embedded default', run: () => runScenarios('embedded') },
  {
    name: 'scenarios-real',
    says: 'scenarios on Kafka, PostgreSQL and Redis',
    run: () => runScenarios('real'),
  },
];

/** @param onLine called with each line of its output as it comes; without it the output is passed through */
function start(command, args, { output = 'inherit', onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', onLine ? 'pipe' : output, 'inherit'],
      env: process.env,
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    if (onLine) createInterface({ input: child.stdout }).on('line', onLine);
    child.on('close', (code, signal) => resolve(signal ? 128 : code));
    running = child;
  });
}

let running;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill(signal);
  });
}

async function simple(command, args) {
  return (await start(command, args)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function jest() {
  const report = join(work, 'jest.json');
  const args = ['--maxWorkers=2', '--json', `--outputFile=${report}`];
  const code = await start(bin('jest'), args, { output: 'ignore' });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const broken = result.numRuntimeErrorTestSuites;
  const failed = result.numFailedTests + broken;
  return { passed: result.numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
}

async function openapi() {
  let result = { passed: 0, failed: 1 };
  await start(node, ['tools/openapi/fuzz.mjs'], {
    onLine: (line) => {
      if (line.startsWith('{"passed"')) result = JSON.parse(line);
      else console.log(line);
    },
  });
  return result;
}

async function runScenarios(stack) {
  const files = [...scenarios('scenarios'), ...scenarios('scenarios/must-fail')];
  const [command, args] = cli('scenario', '--json', '--stack', stack, ...files);
  let passed = 0;
  await start(command, args, {
    onLine: (line) => {
      if (!line.startsWith('{')) return;
      const { file, ok, message } = JSON.parse(line);
      if (ok) passed += 1;
      console.log(ok ? `ok     ${file}` : `FAILED ${file}\n       ${message}`);
    },
  });
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
  if (interrupted) break;
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
process.exitCode = failed > 0 || interrupted ? 1 : 0;
