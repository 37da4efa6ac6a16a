import type { DenialReason } from '@tallygate/contracts';
import type { Circumstances, DecisionRequest, Identity } from './decision';
import type { FeedState, TenantState } from './feed-state';
import type { CredentialState, CustomerState } from './state';

type CredentialIdentity = Extract<Identity, { kind: 'credential' }>;

export interface Resolved {
  readonly kind: 'resolved';
  readonly tenant: TenantState;
  readonly customer: CustomerState;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: DenialReason;
  readonly tenant: TenantState | null;
  readonly customer: CustomerState | null;
}

/**
 * Whose request it is: row 1 of semantics §7. A key that a gate's copy does not hold may have been created a moment ago,
 * so the gate asks the service before it refuses; where it could not ask, the truth is not known (503).
 */
export function resolveIdentity(
  state: FeedState,
  request: DecisionRequest,
  circumstances: Circumstances,
): Resolved | Refused {
  const tenant = request.tenantId === null ? state.soleTenant() : state.tenant(request.tenantId);
  if (tenant === undefined) return unknown(null, circumstances);
  const { identity } = request;
  if (identity.kind === 'credential') return byCredential(tenant, identity, circumstances);
  const customer = customerOf(tenant, request);
  return customer === undefined ? unknown(tenant, circumstances) : { kind: 'resolved', tenant, customer };
}

function customerOf(tenant: TenantState, { identity }: DecisionRequest): CustomerState | undefined {
  if (identity.kind === 'customer') return tenant.customersByKey.get(identity.key);
  // A customer's key counts as its subject too, unless somebody names it.
  if (identity.kind === 'subject') {
    return tenant.customersBySubject.get(identity.subject) ?? tenant.customersByKey.get(identity.subject);
  }
  return undefined;
}

/** The credential as this state has it. */
export function credentialOf(
  tenant: TenantState,
  { hash, place }: CredentialIdentity,
): CredentialState | undefined {
  return place === undefined ? tenant.credentials.get(hash) : place.in(tenant, hash);
}

function byCredential(
  tenant: TenantState,
  identity: CredentialIdentity,
  circumstances: Circumstances,
): Resolved | Refused {
  const credential = credentialOf(tenant, identity);
  if (credential === undefined) return unknown(tenant, circumstances);
  const customer = credential.customer.current;
  const reason = credentialReason(credential, circumstances);
  if (reason !== null) return { kind: 'refused', reason, tenant, customer };
  // The credential is ahead of its customer's entry: not yet known, which is not the caller's fault.
  if (customer === null) return { kind: 'refused', reason: 'entitlement_unknown', tenant, customer };
  return { kind: 'resolved', tenant, customer };
}

function credentialReason(credential: CredentialState, { now }: Circumstances): DenialReason | null {
  if (credential.expiresAt !== null && credential.expiresAt <= now) return 'credential_expired';
  if (credential.revokedAt !== null && credential.revokedAt <= now) return 'credential_revoked';
  return null;
}

function unknown(tenant: TenantState | null, circumstances: Circumstances): Refused {
  const reason = circumstances.unknown === 'does_not_exist' ? 'credential_unknown' : 'entitlement_unknown';
  return { kind: 'refused', reason, tenant, customer: null };
}
