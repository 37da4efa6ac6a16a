import { type Document, LineCounter, isNode, parseDocument } from 'yaml';
import { z } from 'zod';
import {
  ANSWER_KEYS,
  EXPECTATIONS,
  type Expectation,
  type Head,
  REQUEST_ANSWER_KEYS,
  STEP_KEYS,
  USAGE_ANSWER_KEYS,
  VERBS,
  type Verb,
  headSchema,
  stepTimes,
} from './format';

/** One thing wrong with a scenario file. */
export interface FileFault {
  readonly line: number;
  readonly key: string;
  readonly problem: string;
}

/** A file that is not a scenario: every fault found, in the order of the lines. */
export class InvalidScenario extends Error {
  constructor(
    readonly file: string,
    readonly faults: readonly FileFault[],
  ) {
    super(faults.map((fault) => `${file}:${fault.line}: ${fault.key}: ${fault.problem}`).join('\n'));
  }
}

export interface Step {
  readonly line: number;
  /** Null for a step that only expects. */
  readonly verb: Verb | null;
  readonly args: Record<string, unknown> | string;
  readonly at: string | null;
  readonly after: string | null;
  readonly repeat: number;
  /** Non-empty for a step that sends others at the same moment. */
  readonly parallel: readonly Step[];
  readonly expect: Record<string, unknown> | null;
  /** Line of every key of `expect`, by its name. */
  readonly expectLines: Readonly<Record<string, number>>;
}

export interface Scenario extends Omit<Head, 'steps'> {
  readonly file: string;
  readonly steps: readonly Step[];
}

type Path = readonly (string | number)[];
type Json = Record<string, unknown>;

/** Reads and checks one file; throws InvalidScenario with every fault. */
export function parseScenario(file: string, source: string): Scenario {
  return new Reader(file, source).read();
}

class Reader {
  private readonly lines = new LineCounter();
  private readonly document: Document;
  private readonly faults: FileFault[] = [];

  constructor(
    private readonly file: string,
    source: string,
  ) {
    this.document = parseDocument(source, {
      version: '1.2',
      schema: 'core',
      lineCounter: this.lines,
      uniqueKeys: true,
    });
  }

  read(): Scenario {
    for (const error of this.document.errors) {
      this.faults.push({
        line: this.lines.linePos(error.pos[0]).line,
        key: 'yaml',
        problem: error.message.split('\n')[0]!,
      });
    }
    this.refuseIfFaulty();
    const head = this.check(headSchema, this.document.toJS(), []);
    const steps = (head?.steps ?? []).map((step, index) => this.readStep(step, ['steps', index]));
    this.refuseIfFaulty();
    return { ...head!, file: this.file, steps };
  }

  private readStep(raw: unknown, path: Path): Step {
    const step = this.asObject(raw, path);
    const verbs = Object.keys(step).filter((key): key is Verb => key in VERBS);
    this.checkStepKeys(step, verbs, path);
    const verb = verbs[0] ?? null;
    const parallel = Array.isArray(step['parallel']) ? step['parallel'] : [];
    return {
      line: this.lineOf(path),
      verb,
      args: verb ? this.readArguments(verb, step[verb], [...path, verb]) : {},
      at: this.check(stepTimes.at.optional(), step['at'], [...path, 'at']) ?? null,
      after: this.check(stepTimes.after.optional(), step['after'], [...path, 'after']) ?? null,
      repeat: this.check(z.int().positive().default(1), step['repeat'], [...path, 'repeat']) ?? 1,
      parallel: parallel.map((item, index) => this.readStep(item, [...path, 'parallel', index])),
      ...this.readExpect(verb, step['expect'], [...path, 'expect']),
    };
  }

  private checkStepKeys(step: Json, verbs: readonly Verb[], path: Path): void {
    const allowed: readonly string[] = [...Object.keys(VERBS), ...STEP_KEYS];
    for (const key of Object.keys(step).filter((name) => !allowed.includes(name))) {
      this.fault([...path, key], `is neither a verb nor a key of a step; allowed: ${allowed.join(', ')}`);
    }
    const does = verbs.length + ('parallel' in step ? 1 : 0);
    if (does > 1)
      this.fault([...path, verbs[1] ?? 'parallel'], `a step has one verb; this one has ${verbs.join(', ')}`);
    if (does === 0 && !('expect' in step)) this.fault(path, 'a step has a verb, parallel, or expect');
    if ('at' in step && 'after' in step) this.fault([...path, 'after'], 'a step has at or after, not both');
  }

  private readArguments(verb: Verb, raw: unknown, path: Path): Json | string {
    return (this.check(VERBS[verb] as z.ZodType, raw ?? {}, path) ?? {}) as Json | string;
  }

  private readExpect(verb: Verb | null, raw: unknown, path: Path): Pick<Step, 'expect' | 'expectLines'> {
    if (raw === undefined) return { expect: null, expectLines: {} };
    const expect = this.asObject(raw, path);
    const allowed = allowedInExpect(verb);
    for (const key of Object.keys(expect).filter((name) => !allowed.includes(name))) {
      this.fault([...path, key], `cannot be expected here; allowed: ${allowed.join(', ')}`);
    }
    if (verb === null) this.checkExpectations(expect, path);
    const expectLines = Object.fromEntries(
      Object.keys(expect).map((key) => [key, this.lineOf([...path, key])]),
    );
    return { expect, expectLines };
  }

  private checkExpectations(expect: Json, path: Path): void {
    for (const [kind, value] of Object.entries(expect)) {
      const schema = EXPECTATIONS[kind as Expectation];
      if (schema) this.check(schema, value, [...path, kind]);
    }
  }

  private asObject(raw: unknown, path: Path): Json {
    if (raw !== null && typeof raw === 'object' && !Array.isArray(raw)) return raw as Json;
    this.fault(path, 'must be a mapping');
    return {};
  }

  private check<T>(schema: z.ZodType<T>, value: unknown, path: Path): T | null {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) this.zodFault(issue, path, schema);
    return null;
  }

  private zodFault(issue: z.core.$ZodIssue, path: Path, schema: z.ZodType): void {
    const at = [...path, ...(issue.path as Path)];
    if (issue.code !== 'unrecognized_keys') return this.fault(at, issue.message);
    const allowed = allowedKeys(schema, issue.path as Path);
    for (const key of issue.keys) {
      this.fault(
        [...at, key],
        `is not known here${allowed.length > 0 ? `; allowed: ${allowed.join(', ')}` : ''}`,
      );
    }
  }

  private fault(path: Path, problem: string): void {
    this.faults.push({ line: this.lineOf(path), key: path.join('.') || 'file', problem });
  }

  /** The line of a node's key, or of its nearest parent that stands in the file. */
  private lineOf(path: Path): number {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = this.keyNode(path.slice(0, depth));
      if (node !== null) return this.lines.linePos(node).line;
    }
    return 1;
  }

  private keyNode(path: Path): number | null {
    const parent: unknown =
      path.length === 1 ? this.document.contents : this.document.getIn(path.slice(0, -1), true);
    const items = (parent as { items?: { key?: unknown; value?: unknown }[] } | null)?.items;
    const last = path[path.length - 1];
    const found =
      typeof last === 'number'
        ? items?.[last]
        : items?.find((pair) => scalarText(pair.key) === String(last))?.key;
    return isNode(found) && found.range ? found.range[0] : null;
  }

  private refuseIfFaulty(): void {
    if (this.faults.length > 0)
      throw new InvalidScenario(
        this.file,
        [...this.faults].sort((a, b) => a.line - b.line),
      );
  }
}

const scalarText = (key: unknown): string => String((key as { value?: unknown } | null)?.value ?? key);

function allowedInExpect(verb: Verb | null): readonly string[] {
  if (verb === null) return Object.keys(EXPECTATIONS);
  if (verb === 'request' || verb === 'preflight') return REQUEST_ANSWER_KEYS;
  return verb === 'usage' ? USAGE_ANSWER_KEYS : ANSWER_KEYS;
}

/** The keys of the object schema at a path, looked up through arrays, defaults and optionals. */
function allowedKeys(schema: z.ZodType, path: Path): readonly string[] {
  const inner = unwrap(schema);
  const [head, ...rest] = path;
  if (head === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  if (inner instanceof z.ZodArray) return allowedKeys(inner.element as z.ZodType, rest);
  if (inner instanceof z.ZodRecord) return allowedKeys(inner.valueType as z.ZodType, rest);
  const next =
    inner instanceof z.ZodObject ? (inner.shape[String(head)] as z.ZodType | undefined) : undefined;
  return next ? allowedKeys(next, rest) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return unwrap(schema.unwrap() as z.ZodType);
  return schema;
}
