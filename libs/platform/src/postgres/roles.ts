import { createHmac } from 'node:crypto';

/** The two run-time roles of a schema. Neither owns anything. */
export type RoleKind = 'api' | 'worker';

/** Role names are shared by a whole server, so they carry the product's name. */
export function roleName(schema: string, kind: RoleKind): string {
  return `tallygate_${schema}_${kind}`;
}

/**
 * A role's password follows from one installation secret, so that the process that creates a role and those that log
 * in with it agree without another secret to distribute.
 */
export function rolePassword(roleSecret: string, role: string): string {
  return createHmac('sha256', roleSecret).update(`tallygate role ${role}`).digest('hex');
}

export function roleUrl(databaseUrl: string, roleSecret: string, role: string): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = rolePassword(roleSecret, role);
  return url.toString();
}

const IDENTIFIER = /^[a-z][a-z0-9_]{0,62}$/;

/** Schema and role names go into DDL, which takes no parameters; only names that need no quoting are let in. */
export function identifier(name: string): string {
  if (!IDENTIFIER.test(name)) throw new Error(`Not a plain SQL identifier: ${JSON.stringify(name)}`);
  return name;
}
