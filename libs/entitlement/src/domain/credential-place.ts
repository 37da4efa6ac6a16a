import type { TenantState } from './feed-state';
import type { CredentialState } from './state';

/**
 * Where a credential was found last. Who keeps one with the credential is spared the look-up among all of a tenant's,
 * which among 10,000 took a third of a decision: little of what is looked at is in a processor's cache.
 */
export class CredentialPlace {
  private copy = 0;
  private found: CredentialState | null = null;

  /** As the tenant's own table has it, which is asked only when the entry or the whole copy was replaced since. */
  in(tenant: TenantState, hash: string): CredentialState | undefined {
    const { found } = this;
    if (found !== null && !found.erased && this.copy === tenant.copy) return found;
    const credential = tenant.credentials.get(hash);
    this.found = credential ?? null;
    this.copy = tenant.copy;
    return credential;
  }
}
