import { encodedText } from '@tallygate/contracts';
import { billedTo } from '@tallygate/gate-sdk';
import type { Verdict } from '@tallygate/gate-sdk';

const NONE: readonly string[] = [];

/**
 * What a gateway writes into its access log about a request that passed: whose usage it is and of what. Between the
 * agent and the gateway only; names and values in turn, as node takes them. Nothing where the caller is not known here.
 */
export function billedHeaders(verdict: Verdict): readonly string[] {
  const billed = billedTo(verdict);
  if (billed === null) return NONE;
  return [
    'X-Tallygate-Tenant',
    billed.tenantId,
    'X-Tallygate-Subject',
    encodedText(billed.subject),
    'X-Tallygate-Feature',
    encodedText(verdict.request.features.join(',')),
  ];
}
