import type { z } from 'zod';
import type { Environment } from './environment';

/** One variable that cannot be used: what it holds, why it is refused, what to write instead. */
export interface ConfigProblem {
  readonly variable: string;
  /** As found, secrets masked; null when it is not set. */
  readonly value: string | null;
  readonly problem: string;
  readonly fix: string;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(`${problems.length} configuration problem(s)\n${problems.map(describeProblem).join('\n')}`);
  }
}

export function describeProblem({ variable, value, problem, fix }: ConfigProblem): string {
  const found = value === null ? 'not set' : `found ${JSON.stringify(value)}`;
  return `  ${variable}: ${problem} (${found}). Fix: ${fix}`;
}

/**
 * Parses the whole environment at once and reports every problem together: whoever installs this should need one
 * round, not one per variable. An empty variable counts as not set, as in compose files and Helm values.
 */
export function loadConfig<T>(schema: z.ZodType<T>, env: Environment): T {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const byVariable = new Map<string, ConfigProblem>();
  for (const issue of parsed.error.issues) {
    const variable = String(issue.path[0] ?? 'configuration');
    if (!byVariable.has(variable))
      byVariable.set(variable, problemOf(schema, variable, given[variable], issue.message));
  }
  throw new ConfigError([...byVariable.values()]);
}

function problemOf(
  schema: z.ZodType,
  variable: string,
  value: string | undefined,
  message: string,
): ConfigProblem {
  const hints = hintsOf(schema, variable);
  return {
    variable,
    value: value === undefined ? null : mask(variable, value, hints.secret === true),
    problem: value === undefined ? 'is required' : message,
    fix: hints.fix ?? `set ${variable} to a value that is allowed`,
  };
}

/** What a field of a configuration schema says about itself, by `.meta({ fix, secret })`. */
interface Hints {
  readonly fix?: string;
  readonly secret?: boolean;
}

interface Wrapped {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly def?: {
    readonly innerType?: z.ZodType;
    readonly in?: z.ZodType;
    readonly left?: z.ZodType;
    readonly right?: z.ZodType;
  };
}

/** Metadata sits on the innermost schema; `.default()`, `.optional()`, `.pipe()` and `.and()` wrap around it. */
function hintsOf(schema: z.ZodType, variable: string): Hints {
  const field = fieldOf(schema, variable);
  return field === undefined ? {} : ownHints(field);
}

function fieldOf(schema: z.ZodType, variable: string): z.ZodType | undefined {
  const { shape, def } = schema as Wrapped;
  if (shape !== undefined) return shape[variable];
  for (const inner of [def?.innerType, def?.in, def?.left, def?.right]) {
    const found = inner === undefined ? undefined : fieldOf(inner, variable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownHints(field: z.ZodType): Hints {
  const own = field.meta() as Hints | undefined;
  if (own?.fix !== undefined || own?.secret !== undefined) return own;
  const { def } = field as Wrapped;
  const inner = def?.innerType ?? def?.in;
  return inner === undefined ? {} : ownHints(inner);
}

function mask(variable: string, value: string, secret: boolean): string {
  if (secret || /SECRET|PASSWORD|TOKEN|_KEY$/.test(variable)) return '***';
  return value.replace(/(\/\/[^:/@]*:)[^@/]*@/g, '$1***@');
}
