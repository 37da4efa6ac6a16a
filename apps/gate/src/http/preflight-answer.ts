import { disclosedMoney } from '@tallygate/decision';
import { httpAnswer } from '@tallygate/gate-sdk';
import type { HttpAnswer, Verdict } from '@tallygate/gate-sdk';
import { formatAmount, formatInstant } from '@tallygate/kernel';

/** A pass that was only looked at says what it would come to; a denial is the one the request would get. */
export function preflightAnswer(verdict: Verdict): HttpAnswer {
  const answer = httpAnswer(verdict);
  if (!verdict.allow || verdict.local === null) return answer;
  const { decision } = verdict.local;
  const body = {
    allowed: true,
    status: verdict.status,
    reason: verdict.reason,
    feature: decision.feature,
    value: decision.value ?? null,
    required: formatAmount(decision.required),
    ...disclosedMoney(decision),
    reset_at: decision.resetAt === null ? null : formatInstant(decision.resetAt),
    suspend_at: decision.suspendAt === null ? null : formatInstant(decision.suspendAt),
    decision_id: verdict.decisionId,
  };
  return {
    status: 200,
    headers: { ...answer.headers, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify(body),
  };
}
