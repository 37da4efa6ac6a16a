/**
 * Schemathesis against the embedded default on a fresh folder, seeded, with every check on. Prints what failed and, as
 * its last line, `{"passed": …, "failed": …}` in operations. `node tools/openapi/fuzz.mjs [further options of st run]`
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWorld } from './world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const { EmbeddedStack } = createRequire(import.meta.url)(join(root, 'dist/libs/testing/src/index.js'));
const judge = join(process.env.TALLYGATE_CACHE_DIR ?? join(root, '.cache'), 'schemathesis/bin/python');

async function main() {
  if (!existsSync(judge)) throw new Error('schemathesis is missing: run infra/local/install schemathesis');
  const work = mkdtempSync(join(tmpdir(), 'tallygate-openapi-'));
  const stack = await EmbeddedStack.start({ dataDir: work, env: { CHECK_ANSWERS: 'true' } });
  try {
    const url = stack.urls.billing;
    await requireSameDocument(url);
    const world = await startWorld(stack);
    const report = join(work, 'report.json');
    const { output } = await judged(url, world, report, work);
    return told(report, output, errorsIn(join(work, 'standalone.log')));
  } finally {
    await stack.close();
    rmSync(work, { recursive: true, force: true });
  }
}

async function requireSameDocument(url) {
  const served = await (await fetch(`${url}/openapi.json`)).json();
  const written = JSON.parse(readFileSync(join(root, 'docs/openapi/standalone.json'), 'utf8'));
  if (JSON.stringify(served) !== JSON.stringify(written))
    throw new Error('docs/openapi/standalone.json is not what is served: run npm run openapi');
}

function judged(url, { apiKey, rootKey }, report, cwd) {
  const args = ['-m', 'schemathesis.cli', '--config-file', join(here, 'schemathesis.toml'), 'run'];
  const options = [`${url}/openapi.json`, '--no-color', '--report', 'json', '--report-json-path', report];
  const env = {
    ...process.env,
    TALLYGATE_API_KEY: apiKey,
    TALLYGATE_ROOT_KEY: rootKey,
    TALLYGATE_HOOKS: join(here, 'hooks.py'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  return new Promise((resolve, reject) => {
    const child = spawn(judge, [...args, ...options, ...process.argv.slice(2)], { cwd, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('exit', () => resolve({ output }));
  });
}

/** What went wrong beneath the answers, where no check of answers can see it: consumers and sweeps. */
function errorsIn(log) {
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const texts = lines
    .filter(({ level }) => level === 'error' || level === 'fatal')
    .map(({ msg, err }) => `${msg}: ${err?.stack ?? ''}`);
  return [...new Set(texts)];
}

/** An operation with a failure, or that was not tested, has failed. */
function told(report, output, logged) {
  if (!existsSync(report)) throw new Error(`schemathesis made no report:\n${output}`);
  const { operations, failures, errors, test_cases: cases, seed } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = new Set(failures.flatMap((failure) => failure.operations));
  const failed = broken.size + (operations.selected - operations.tested) + errors.length + logged.length;
  if (failed > 0) console.log([output, ...logged].join('\n'));
  console.log(`${cases.generated} requests to ${operations.tested} operations, seed ${seed}`);
  console.log(JSON.stringify({ passed: operations.selected - failed, failed }));
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
