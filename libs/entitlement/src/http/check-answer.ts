import { formatAmount, formatInstant } from '@tallygate/kernel';
import { disclosedMoney, passHeaders, renderProblem } from '../domain';
import type { Checked, EntitlementView } from '../service/check-service';

/** `status`, `headers` and `body` are those that a gate would answer; `violated` names the refused features. */
export function checkAnswer({ decision, context }: Checked): Record<string, unknown> {
  const problem = decision.allow ? null : renderProblem(decision, context);
  return {
    allowed: decision.allow,
    status: decision.status,
    code: decision.reason.toUpperCase(),
    reason: decision.reason,
    feature: decision.feature,
    value: decision.value ?? null,
    violated: decision.violated.map(({ feature }) => feature),
    ...disclosedMoney(decision),
    reset_at: decision.resetAt === null ? null : formatInstant(decision.resetAt),
    suspend_at: decision.suspendAt === null ? null : formatInstant(decision.suspendAt),
    decision_id: context.decisionId,
    snapshot_revision: context.snapshotRevision,
    as_of: formatInstant(context.asOf),
    headers: problem?.headers ?? passHeaders(decision, context),
    body: problem?.body ?? null,
  };
}

/** Amounts are null for a feature without included units. */
export function entitlementAnswer(
  customer: string,
  feature: string,
  { decision, quota }: Extract<EntitlementView, { outcome: 'known' }>,
): Record<string, unknown> {
  const left = quota === null || quota.used >= quota.included ? 0n : quota.included - quota.used;
  return {
    customer,
    feature,
    allowed: decision.allow,
    reason: decision.reason,
    used: quota === null ? null : formatAmount(quota.used),
    remaining: quota === null ? null : formatAmount(left),
    included: quota === null ? null : formatAmount(quota.included),
    resets_at: quota?.resetAt == null ? null : formatInstant(quota.resetAt),
  };
}
