import { z } from 'zod';

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/)
  .transform((name) => name.toLowerCase());

/**
 * A value of usage data: a literal, or where to find it. A text that begins with `$` is looked up: `$status`, `$method`,
 * `$path`, `$units`, `$feature`, `$request.<header>`, `$response.<header>`. What is not there is left out.
 */
const usageTemplate = z.strictObject({
  type: z.string().min(1),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

const route = z.strictObject({
  prefix: z.string().startsWith('/'),
  /** One feature, several, or none (the account alone). */
  feature: z
    .union([z.string().min(1), z.array(z.string().min(1)).max(100)])
    .default([])
    .transform((given): readonly string[] => (typeof given === 'string' ? [given] : given)),
  /** Request header that holds the units; 1 where it is absent. */
  units_header: headerName.optional(),
  usage: usageTemplate.optional(),
});

export type UsageTemplate = z.output<typeof usageTemplate>;
export type Route = z.output<typeof route>;

/** As given in PROXY_ROUTES: a list of routes. */
export const routesSchema = z.array(route);

/** The route of a path: the longest prefix that ends where a segment does. */
export class Routes {
  private readonly longestFirst: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.longestFirst = [...routes].sort((a, b) => b.prefix.length - a.prefix.length);
  }

  of(path: string): Route | undefined {
    return this.longestFirst.find(({ prefix }) => covers(prefix, path));
  }
}

function covers(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/';
}

/** A path without its query, which may hold what must not be repeated. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
