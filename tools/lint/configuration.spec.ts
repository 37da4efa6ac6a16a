import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { appConfigs } from './app-configs';
import { ROOT } from './compose-file';

const SERVICES = ['billing', 'dunning', 'entitlement', 'ingestion', 'ledger', 'notifier'];

/** `process VARIABLE` → what the page says it is without being set. */
function documented(): Record<string, string> {
  const page = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` *\| ([^|]+?) *\| ([^|]+?) *\| [^|]+\|$/gm)];
  return Object.fromEntries(
    rows.flatMap(([, variable, readers = '', fallback = '']) =>
      readersOf(readers).map((reader) => [`${reader} ${variable}`, fallback]),
    ),
  );
}

function readersOf(cell: string): string[] {
  return cell.split(', ').flatMap((reader) => (reader === 'services' ? SERVICES : [reader]));
}

/** The same from the schemas. */
async function configured(): Promise<Record<string, string>> {
  const entries = [...(await appConfigs())].flatMap(([app, { shape }]) =>
    Object.entries(shape).map(([variable, field]) => [`${app} ${variable}`, withoutIt(field as z.ZodType)]),
  );
  return Object.fromEntries(entries);
}

function withoutIt(field: z.ZodType): string {
  const parsed = field.safeParse(undefined);
  if (!parsed.success) return '_required_';
  if (parsed.data === undefined) return '_optional_';
  return Array.isArray(parsed.data) && parsed.data.length === 0 ? 'empty' : `\`${String(parsed.data)}\``;
}

test('docs/configuration.md names every variable of every process with its default, and no other', async () => {
  expect(documented()).toEqual(await configured());
});
