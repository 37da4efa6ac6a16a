import { parseArgs } from 'node:util';
import {
  EmbeddedStack,
  InvalidScenario,
  RealStack,
  type ScenarioResult,
  type Stack,
  readScenarios,
  runScenarios,
} from '@tallygate/testing';
import type { Output } from './output';

const OPTIONS = {
  stack: { type: 'string', default: 'embedded' },
  json: { type: 'boolean', default: false },
} as const;

/** `scenario [--stack embedded|real] [--json] FILE...`: 0 all held, 1 an expectation failed, 2 a file is invalid. */
export async function scenarioCommand(words: readonly string[], output: Output): Promise<number> {
  const { values, positionals: operands } = parseArgs({
    args: [...words],
    options: OPTIONS,
    allowPositionals: true,
  });
  const stackName = values.stack;
  if (operands.length === 0 || !['embedded', 'real'].includes(stackName)) {
    output.error('usage: scenario [--stack embedded|real] [--json] FILE...');
    return 2;
  }
  try {
    const scenarios = await readScenarios(operands);
    const { json } = values;
    if (!json) output.line(`starting the ${stackName} stack for ${scenarios.length} file(s)`);
    const stack = await startStack(stackName);
    try {
      const results = await runScenarios(stack, scenarios, (result) => report(result, json, output));
      return summarize(results, json, output);
    } finally {
      await stack.close();
    }
  } catch (error) {
    if (!(error instanceof InvalidScenario)) throw error;
    output.error(error.message);
    return 2;
  }
}

const startStack = (name: string): Promise<Stack> =>
  name === 'real'
    ? RealStack.start({ checkAnswers: true })
    : EmbeddedStack.start({ env: { CHECK_ANSWERS: 'true' } });

function report(result: ScenarioResult, json: boolean, output: Output): void {
  const { timeline, ...facts } = result;
  if (json) return output.line(JSON.stringify(facts));
  output.line(
    `${result.ok ? 'ok    ' : 'FAILED'} ${result.file} (${result.steps} steps, ${result.seconds} s)`,
  );
  if (result.ok) return;
  output.line(`  ${result.message}`);
  output.line('  what happened up to there:');
  for (const entry of timeline) output.line(`    ${entry}`);
}

function summarize(results: readonly ScenarioResult[], json: boolean, output: Output): number {
  const passed = results.filter((result) => result.ok).length;
  if (!json) output.line(`${passed} passed, ${results.length - passed} failed`);
  return passed === results.length ? 0 : 1;
}
