import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import type { Fault } from './problem';
import { invalid } from './problem';
import { unstorable } from './storable';

const LONGEST_SHOWN = 200;

/** Every issue as a fault, with the value found at its path in what was sent. */
export function zodFaults(error: z.ZodError, input: unknown): Fault[] {
  return error.issues.flatMap((issue) => {
    const extra = issue.code === 'unrecognized_keys' ? issue.keys : [null];
    return extra.map((key) => faultOf(issue, key === null ? issue.path : [...issue.path, key], input));
  });
}

function faultOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[], input: unknown): Fault {
  const value = valueAt(input, path);
  const missing = value === undefined && issue.code === 'invalid_type';
  return {
    field: fieldOf(path),
    value: shown(value),
    problem: missing ? 'is missing' : problemOf(issue),
    fix: fixOf(issue, missing),
  };
}

function problemOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys' ? 'is not a known field' : issue.message;
}

function fixOf(issue: z.core.$ZodIssue, missing: boolean): string {
  const fix = issue.code === 'custom' ? issue.params?.['fix'] : undefined;
  if (typeof fix === 'string') return fix;
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'remove the field or correct its name';
    case 'invalid_type':
      return `${missing ? 'add' : 'send'} a value of type ${issue.expected}`;
    case 'invalid_value':
      return `use one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `use at least ${issue.minimum}`;
    case 'too_big':
      return `use at most ${issue.maximum}`;
    case 'invalid_format':
      return `use the format ${issue.format}`;
    default:
      return issue.message;
  }
}

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (done, part) => (typeof part === 'number' ? `${done}[${part}]` : `${done}.${String(part)}`),
    '',
  );
  return text.replace(/^\./, '') || 'body';
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

/** What was sent, cut to a readable length; null for what was not. */
function shown(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text !== undefined && text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : value;
}

/** Parses a body or query with a schema; a failure answers 422 with every fault, and so does what no database keeps. */
@Injectable()
export class ZodBody<T> implements PipeTransform<unknown, T> {
  constructor(readonly schema: z.ZodType<T>) {}

  transform(input: unknown): T {
    const fault = unstorable(input);
    if (fault !== null) throw invalid([fault]);
    const parsed = this.schema.safeParse(input);
    if (parsed.success) return parsed.data;
    throw invalid(zodFaults(parsed.error, input));
  }
}
