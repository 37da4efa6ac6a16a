import { readFile } from 'node:fs/promises';
import { InvalidScenario, type Scenario, type Step, parseScenario } from './document';
import { LOOK_UP } from './expectations';
import { type ScenarioResult, runScenario } from './run-scenario';
import type { Stack } from './stack';
import { PERFORM } from './verbs';

/** Reads and checks files; throws the first InvalidScenario before anything is run. */
export async function readScenarios(files: readonly string[]): Promise<readonly Scenario[]> {
  const scenarios = await Promise.all(
    files.map(async (file) => parseScenario(file, await readFile(file, 'utf8'))),
  );
  for (const scenario of scenarios) refuseUnsupported(scenario);
  return scenarios;
}

function refuseUnsupported(scenario: Scenario): void {
  const faults = flat(scenario.steps).flatMap((step) => unsupportedIn(step));
  if (faults.length > 0) throw new InvalidScenario(scenario.file, faults);
}

const flat = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => [step, ...flat(step.parallel)]);

function unsupportedIn(step: Step): { line: number; key: string; problem: string }[] {
  const problem = 'is part of the format but not supported yet';
  const verbs =
    step.verb !== null && !(step.verb in PERFORM) ? [{ line: step.line, key: step.verb, problem }] : [];
  if (step.verb !== null || step.expect === null) return verbs;
  const missing = Object.keys(step.expect).filter((kind) => !(kind in LOOK_UP));
  return missing.map((key) => ({ line: step.expectLines[key] ?? step.line, key, problem }));
}

/** Files that switch servers off would disturb their neighbours, so they run alone. */
function runsAlone(scenario: Scenario): boolean {
  return flat(scenario.steps).some(
    (step) => step.verb === 'service' || step.verb === 'smtp' || step.verb === 'receiver',
  );
}

/** Runs checked files on one stack, some side by side; calls back as each one ends, and answers in the order given. */
export async function runScenarios(
  stack: Stack,
  scenarios: readonly Scenario[],
  onResult: (result: ScenarioResult) => void,
  sideBySide = 4,
): Promise<readonly ScenarioResult[]> {
  const results = new Map<string, ScenarioResult>();
  const run = async (scenario: Scenario): Promise<void> => {
    const result = await runScenario(stack, scenario);
    results.set(scenario.file, result);
    onResult(result);
  };
  const queue = scenarios.filter((scenario) => !runsAlone(scenario));
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
  for (const scenario of scenarios.filter(runsAlone)) await run(scenario);
  return scenarios.map((scenario) => results.get(scenario.file)!);
}
