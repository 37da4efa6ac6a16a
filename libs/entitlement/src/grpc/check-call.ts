import { status } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { CheckRequestMessage, CheckResponseMessage } from '@tallygate/contracts';
import { NANO, parseAmount, parseQuantity } from '@tallygate/kernel';
import { passHeaders, renderProblem } from '../domain';
import type { DecisionRequest, Identity } from '../domain';
import type { Checked, CheckService } from '../service/check-service';
import { tenantInScope } from '../service/feed-access';
import type { FeedAccess } from '../service/feed-access';
import { credentialOf } from './feed-call';

interface CheckParts {
  readonly checks: CheckService;
  readonly access: FeedAccess;
}

interface Refusal {
  readonly code: status;
  readonly details: string;
}

/** Check over gRPC. A refused decision is an answer; the call fails only when it cannot be answered. */
export function checkCall({ checks, access }: CheckParts) {
  return (
    call: ServerUnaryCall<CheckRequestMessage, CheckResponseMessage>,
    done: sendUnaryData<CheckResponseMessage>,
  ): void => {
    const answer = async (): Promise<void> => {
      const granted = await access.of(credentialOf(call.metadata), ['gate', 'read']);
      if (granted.outcome === 'refused') {
        const code = granted.status === 401 ? status.UNAUTHENTICATED : status.PERMISSION_DENIED;
        return done({ code, details: granted.problem });
      }
      const request = requestOf(call.request, granted.tenantId);
      if ('code' in request) return done(request);
      done(null, responseOf(await checks.check(request)));
    };
    answer().catch(() => done({ code: status.UNAVAILABLE, details: 'No decision can be made just now.' }));
  };
}

function requestOf(message: CheckRequestMessage, granted: string | null): DecisionRequest | Refusal {
  const tenantId = tenantInScope(granted, message.tenantId === '' ? null : message.tenantId);
  if (tenantId === 'forbidden') {
    return { code: status.PERMISSION_DENIED, details: 'The key is of another tenant.' };
  }
  const units = message.units === '' ? null : parseQuantity(message.units);
  const maxPrice = message.maxPrice === '' ? null : parseAmount(message.maxPrice);
  if (units?.ok === false) return invalidArgument('units', units.error.fix);
  if (maxPrice?.ok === false) return invalidArgument('max_price', maxPrice.error.fix);
  return {
    tenantId,
    identity: identityOf(message),
    features: message.features,
    units: units?.value ?? NANO,
    maxPrice: maxPrice?.value ?? null,
    groups: Object.keys(message.groups).length === 0 ? undefined : message.groups,
  };
}

function invalidArgument(field: string, fix: string): Refusal {
  return { code: status.INVALID_ARGUMENT, details: `${field}: ${fix}` };
}

function identityOf(message: CheckRequestMessage): Identity {
  switch (message.identity) {
    case 'credentialSha256':
      return { kind: 'credential', hash: message.credentialSha256 ?? '' };
    case 'customer':
      return { kind: 'customer', key: message.customer ?? '' };
    case 'subject':
      return { kind: 'subject', subject: message.subject ?? '' };
    default:
      return { kind: 'none' };
  }
}

function responseOf({ decision, context }: Checked): CheckResponseMessage {
  const problem = decision.allow ? null : renderProblem(decision, context);
  return {
    allow: decision.allow,
    status: decision.status,
    reason: decision.reason,
    decisionId: context.decisionId,
    action: decision.action ?? '',
    retryable: decision.retryable,
    violated: decision.violated,
    snapshotRevision: context.snapshotRevision ?? '',
    headers: problem?.headers ?? passHeaders(decision, context),
    problem: problem === null ? '' : JSON.stringify(problem.body),
  };
}
