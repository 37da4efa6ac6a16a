import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { CHECK_SERVICE } from '@tallygate/contracts';
import type { BillingGateReason, CheckRequestMessage, CheckResponseMessage } from '@tallygate/contracts';
import type { DecisionRequest } from '@tallygate/decision';
import { formatAmount } from '@tallygate/kernel';
import { LiveCheck, WARMING, WARMING_MS } from '../service/live-check';
import type { LiveAnswer } from '../service/live-check';
import { bearer, grpcClient } from './channel';
import type { GrpcAddress } from './channel';

interface Cancellable {
  cancel(): void;
}

type Check = (
  request: Partial<CheckRequestMessage>,
  metadata: Metadata,
  done: (error: ServiceError | null, answer?: CheckResponseMessage) => void,
) => Cancellable;

/** A check over gRPC, on a connection that is open already. */
export class GrpcLiveCheck extends LiveCheck {
  private readonly client: ReturnType<typeof grpcClient>;
  private readonly metadata: Metadata;

  constructor(address: GrpcAddress) {
    super();
    this.client = grpcClient(CHECK_SERVICE, address);
    this.metadata = bearer(address);
  }

  override check(request: DecisionRequest, withinMs: number): Promise<LiveAnswer | null> {
    return new Promise((resolve) => {
      const check = this.client['check'] as unknown as Check;
      const call = check.call(this.client, messageOf(request), this.metadata, (error, answer) => {
        clearTimeout(timer);
        resolve(error !== null || answer === undefined ? null : answerOf(answer));
      });
      // A loop that was busy runs its timers before it reads its sockets; an answer that waits there is in time.
      const timer = setTimeout(() => setImmediate(() => call.cancel()), withinMs);
    });
  }

  override warm(): void {
    void this.check(WARMING, WARMING_MS);
  }

  override close(): void {
    this.client.close();
  }
}

function messageOf({ tenantId, identity, ...rest }: DecisionRequest): Partial<CheckRequestMessage> {
  return {
    tenantId: tenantId ?? '',
    features: rest.features,
    units: formatAmount(rest.units),
    maxPrice: rest.maxPrice === null ? '' : formatAmount(rest.maxPrice),
    groups: rest.groups ?? {},
    ...(identity.kind === 'credential' ? { credentialSha256: identity.hash } : {}),
    ...(identity.kind === 'customer' ? { customer: identity.key } : {}),
    ...(identity.kind === 'subject' ? { subject: identity.subject } : {}),
  };
}

function answerOf(answer: CheckResponseMessage): LiveAnswer {
  const { allow, status, reason, decisionId, headers, problem } = answer;
  return { allow, status, reason: reason as BillingGateReason, decisionId, headers, problem };
}
