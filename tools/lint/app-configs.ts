import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { ROOT } from './compose-file';

/** The configuration schemas of all processes by folder of apps/, found where each of them keeps its own. */
export async function appConfigs(): Promise<ReadonlyMap<string, z.ZodObject>> {
  const apps = readdirSync(join(ROOT, 'apps'))
    .filter((app) => existsSync(join(ROOT, 'apps', app, 'src/config.ts')))
    .sort();
  return new Map(await Promise.all(apps.map(async (app) => [app, await schemaOf(app)] as const)));
}

async function schemaOf(app: string): Promise<z.ZodObject> {
  const exported = (await import(join(ROOT, 'apps', app, 'src/config'))) as Record<string, unknown>;
  const schemas = Object.entries(exported).filter(
    ([name, value]) => name.endsWith('Config') && isObjectSchema(value),
  );
  const [found] = schemas;
  if (found === undefined || schemas.length > 1) {
    throw new Error(`apps/${app}/src/config.ts must export one schema whose name ends with Config`);
  }
  return found[1] as z.ZodObject;
}

function isObjectSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'shape' in value && 'safeParse' in value;
}
