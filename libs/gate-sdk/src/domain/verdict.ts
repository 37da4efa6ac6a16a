import { credentialOf, passHeaders, renderProblem } from '@tallygate/decision';
import type { AnswerContext, Decision, TenantState } from '@tallygate/decision';
import type { BillingGateReason } from '@tallygate/contracts';
import type { GateRequest } from './gate-request';

/** A gate's answer, not yet written down: a pass needs no body, so none is made. */
export interface Verdict {
  readonly allow: boolean;
  readonly status: number;
  readonly reason: BillingGateReason;
  /** Names this answer; `finish` takes it. */
  readonly decisionId: string;
  readonly request: GateRequest;
  /** Null where the service itself answered, about a key that the copy did not hold yet. */
  readonly local: { readonly decision: Decision; readonly context: AnswerContext } | null;
  readonly remote: RemoteAnswer | null;
}

export interface RemoteAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; empty for a pass. */
  readonly problem: string;
}

/** A denial (or a pass) as HTTP: what every transport writes in its own way. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function verdictOf(request: GateRequest, decision: Decision, context: AnswerContext): Verdict {
  return {
    allow: decision.allow,
    status: decision.status,
    reason: decision.reason,
    decisionId: context.decisionId,
    request,
    local: { decision, context },
    remote: null,
  };
}

export function httpAnswer(verdict: Verdict): HttpAnswer {
  const { local, remote, status, allow } = verdict;
  if (local === null) return { status, headers: remote?.headers ?? {}, body: remote?.problem ?? '' };
  if (allow) return { status, headers: passHeaders(local.decision, local.context), body: '' };
  const { headers, body } = renderProblem(local.decision, local.context);
  return { status, headers, body: JSON.stringify(body) };
}

/** What a passing request is told on its way. */
export function verdictHeaders({ local, remote }: Verdict): Readonly<Record<string, string>> {
  return local === null ? (remote?.headers ?? {}) : passHeaders(local.decision, local.context);
}

export interface Billed {
  readonly tenantId: string;
  readonly subject: string;
}

/** Whose usage a request is; null where the copy does not know its caller. */
export function billedTo({ request, local }: Verdict): Billed | null {
  const tenant = local?.decision.tenant ?? null;
  const customer = local?.decision.customer ?? null;
  if (tenant === null || customer === null) return null;
  return { tenantId: tenant.id, subject: subjectOf(request, tenant, customer.key) };
}

/** As the caller was named, or by what its credential stands for, or else by the customer's own key. */
function subjectOf({ identity }: GateRequest, tenant: TenantState, customerKey: string): string {
  if (identity.kind === 'subject') return identity.subject;
  if (identity.kind !== 'credential') return customerKey;
  return credentialOf(tenant, identity)?.subject ?? customerKey;
}
