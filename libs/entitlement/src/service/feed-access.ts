import { hashApiKey, grants, sameSecret } from '@tallygate/platform';
import type { Scope, KeyDirectory } from '@tallygate/platform';

/** What a feed credential may see. */
export type Access =
  | { readonly outcome: 'granted'; readonly tenantId: string | null }
  | { readonly outcome: 'refused'; readonly status: 401 | 403; readonly problem: string };

/** The bearer of an `Authorization` header; null when there is none. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

/**
 * Who may follow the feed and ask for checks: a tenant's API key with one of the scopes, which sees its tenant only, or
 * the installation's own gate credential, which sees all.
 */
export class FeedAccess {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly installationSecret: string,
  ) {}

  async of(credential: string | null, scopes: readonly Scope[]): Promise<Access> {
    if (credential === null) return refused(401, 'Send Authorization: Bearer with a key of scope gate.');
    if (sameSecret(credential, this.installationSecret)) return { outcome: 'granted', tenantId: null };
    const principal = await this.keys.find(hashApiKey(credential));
    if (principal === null) return refused(401, 'The key was never issued, was revoked, or has expired.');
    if (scopes.some((scope) => grants(principal.scopes, scope))) {
      return { outcome: 'granted', tenantId: principal.tenantId };
    }
    return refused(403, `The key needs the scope ${scopes.join(' or ')}.`);
  }
}

function refused(status: 401 | 403, problem: string): Access {
  return { outcome: 'refused', status, problem };
}

/** The tenant that a request may be about: its own, or, for the installation, the one it names. */
export function tenantInScope(granted: string | null, asked: string | null): string | null | 'forbidden' {
  if (granted === null || asked === null) return asked ?? granted;
  return granted === asked ? granted : 'forbidden';
}
