import { formatInstant } from '@tallygate/kernel';
import type { Scenario, Step } from './document';
import { LOOK_UP } from './expectations';
import type { Expectation, Verb } from './format';
import { type Mismatch, match } from './match';
import { momentAfter, momentOf } from './moments';
import type { GateAnswer } from './request';
import { type Answer, Session } from './session';
import type { Stack } from './stack';
import { PERFORM } from './verbs';

/** How one file went. `message` says why not, with file:line first. */
export interface ScenarioResult {
  readonly file: string;
  readonly ok: boolean;
  readonly message: string | null;
  readonly line: number | null;
  readonly steps: number;
  readonly seconds: number;
  readonly timeline: readonly string[];
}

/** An expectation that did not hold, or a refusal that nobody expected. */
class ScenarioFailure extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

/** Verbs that only look or ask: nothing has to come to rest after them. */
const QUIET: readonly (Verb | null)[] = [null, 'request', 'preflight', 'finish', 'provider'];

/** Runs one checked file on a running stack, in a tenant of its own. */
export async function runScenario(stack: Stack, scenario: Scenario): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const run = new Run(stack, scenario);
  const failure = await run.play();
  const outcome = judge(scenario, failure);
  const seconds = Math.round((performance.now() - startedAt) / 10) / 100;
  return { file: scenario.file, steps: scenario.steps.length, seconds, timeline: run.timeline, ...outcome };
}

/** A file that must fail passes only when an expectation fails with its text. */
function judge(
  scenario: Scenario,
  failure: ScenarioFailure | null,
): Pick<ScenarioResult, 'ok' | 'message' | 'line'> {
  const message = failure && `${scenario.file}:${failure.line}: ${failure.message}`;
  const line = failure?.line ?? null;
  if (scenario.must_fail === undefined) return { ok: failure === null, message, line };
  if (failure?.message.includes(scenario.must_fail)) return { ok: true, message, line };
  const wanted = `must fail with "${scenario.must_fail}"`;
  return {
    ok: false,
    message: `${scenario.file}: ${wanted}, but ${message ? `failed otherwise: ${message}` : 'everything held'}`,
    line,
  };
}

class Run {
  readonly timeline: string[] = [];
  private session!: Session;
  private number = 0;

  constructor(
    private readonly stack: Stack,
    private readonly scenario: Scenario,
  ) {}

  async play(): Promise<ScenarioFailure | null> {
    try {
      await this.prepare();
      for (const step of this.scenario.steps) {
        this.number += 1;
        await this.step(step);
      }
      return null;
    } catch (error) {
      if (error instanceof ScenarioFailure) return error;
      const line = this.scenario.steps[this.number - 1]?.line ?? 1;
      return new ScenarioFailure(
        line,
        `step ${this.number}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private async prepare(): Promise<void> {
    this.session = await Session.open(this.stack, this.scenario);
    const applied = await this.session.change('billing', 'PUT', '/v1/catalog', this.scenario.catalog);
    this.demand(applied, 1, 'catalog');
    await this.session.settle();
    for (const customer of this.scenario.customers) {
      this.demand(await this.session.createCustomer(customer), 1, `customers.${customer.key}`);
      this.session.dirty = true;
    }
  }

  private demand(answer: Answer, line: number, what: string): void {
    if (answer.status >= 400)
      throw new ScenarioFailure(
        line,
        `${what}: refused with ${shown(answerOf(answer))} ${shown(answer.body)}`,
      );
  }

  private async step(step: Step): Promise<void> {
    await this.moveClock(step);
    for (let sent = 0; sent < step.repeat; sent += 1) {
      if (sent > 0) await this.session.settle();
      await this.send(step);
    }
  }

  private async moveClock(step: Step): Promise<void> {
    const { now, head } = this.session;
    const to = step.at
      ? momentOf(step.at, head.timezone)
      : step.after
        ? momentAfter(now, step.after, head.timezone)
        : now;
    if (to < now)
      throw new ScenarioFailure(
        step.line,
        `step ${this.number}: at ${formatInstant(to)} goes back from ${formatInstant(now)}`,
      );
    await this.session.settle(to);
  }

  private async send(step: Step): Promise<void> {
    if (step.parallel.length > 0) {
      await Promise.all(step.parallel.map((inner) => this.send(inner)));
      return;
    }
    if (step.verb === null) return this.expectFacts(step);
    const answer = await this.perform(step.verb, step.args);
    if (!QUIET.includes(step.verb)) this.session.dirty = true;
    this.timeline.push(
      `${formatInstant(this.session.now)}  ${step.verb} ${shown(step.args)} -> ${shown(answerOf(answer))}`,
    );
    this.expectAnswer(step, answer);
  }

  private perform(verb: Verb, args: Step['args']): Promise<Answer> {
    const perform = PERFORM[verb] as ((session: Session, args: unknown) => Promise<Answer>) | undefined;
    if (!perform) throw new Error(`verb "${verb}" is not supported yet`);
    return perform(this.session, args);
  }

  private expectAnswer(step: Step, answer: Answer): void {
    if (step.expect === null) {
      if (answer.status < 400) return;
      throw new ScenarioFailure(
        step.line,
        this.say(step, 'refused', 'an answer below 400', { ...answerOf(answer), body: answer.body }),
      );
    }
    const found = { ...answer, faults: answer.body?.['faults'], code: answer.code?.toLowerCase() ?? null };
    for (const [key, expected] of Object.entries(step.expect)) {
      const wanted = key === 'code' && typeof expected === 'string' ? expected.toLowerCase() : expected;
      const inHeaders = key === 'headers' ? lowerKeys(wanted) : wanted;
      this.report(step, key, match(inHeaders, (found as Record<string, unknown>)[key], this.session, key));
    }
  }

  private async expectFacts(step: Step): Promise<void> {
    for (const [kind, expected] of Object.entries(step.expect ?? {})) {
      const lookUp = LOOK_UP[kind as Expectation];
      if (!lookUp) throw new Error(`expectation "${kind}" is not supported yet`);
      const wanted = expected as Record<string, unknown>;
      const found = { ...subjectOf(wanted), ...(await lookUp(this.session, wanted)) };
      this.timeline.push(`${formatInstant(this.session.now)}  ${kind} ${shown(found)}`);
      this.report(step, kind, match(asked(wanted), found, this.session, kind));
    }
  }

  private report(step: Step, key: string, mismatch: Mismatch | null): void {
    if (!mismatch) return;
    throw new ScenarioFailure(
      step.expectLines[key] ?? step.line,
      this.say(step, mismatch.path, mismatch.expected, mismatch.found),
    );
  }

  private say(step: Step, key: string, expected: unknown, found: unknown): string {
    return `step ${this.number} (${step.verb ?? 'expect'}): ${key}: expected ${shown(expected)}, found ${shown(found)}`;
  }
}

/** What an expectation was asked about is not compared: it chose what to look up. */
const ASKED = [
  'customer',
  'unit',
  'meter',
  'from',
  'to',
  'window',
  'timezone',
  'group_by',
  'filter',
  'feature',
  'kind',
  'at',
  'known_at',
];

function asked(expected: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(expected).filter(([key]) => !ASKED.includes(key)));
}

function subjectOf(expected: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(expected).filter(([key]) => key === 'customer' || key === 'unit'));
}

function answerOf(answer: Answer): Record<string, unknown> {
  const { status, code } = answer;
  const { reason } = answer as Partial<GateAnswer>;
  return { status, ...(code !== null && { code }), ...(reason && { reason }) };
}

function lowerKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item as unknown]));
}

const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
