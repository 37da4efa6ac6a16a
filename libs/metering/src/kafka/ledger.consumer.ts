import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { LedgerEvent, RejectedUsage } from '@tallygate/contracts';
import { ServiceContext, TenantTime } from '@tallygate/platform';
import type { IncomingMessage, Slice } from '@tallygate/platform';
import { fault } from '../domain/fault';
import type { Fault } from '../domain/fault';
import { DeadLetterStore } from '../service/dead-letters';
import type { NewDeadLetter } from '../service/dead-letters';
import { identityConflict } from '../service/take-raw-usage.service';
import { UsageCounts } from '../service/usage-counts';

type Rejection = Extract<LedgerEvent, { readonly type: 'usage.rejected' }>;

/** Usage that the ledger finds in conflict after nobody listens any more becomes a letter here. */
@Injectable()
export class LedgerConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly time: TenantTime,
    private readonly letters: DeadLetterStore,
    private readonly counts: UsageCounts,
  ) {}

  async onModuleInit(): Promise<void> {
    const group = `${this.context.name}.ledger`;
    await this.context.subscribe({
      topics: [TOPICS.ledgerEvents],
      group,
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle(slice: Slice): Promise<void> {
    const rejections = slice.messages
      .filter(isRejection)
      .map((message) => decodeEvent<Rejection>(message.value));
    if (rejections.length === 0) return;
    const nows = await this.time.nowOf(rejections.map((rejection) => rejection.tenantId));
    const letters = rejections.map((rejection) =>
      letterOf(rejection, nows.get(rejection.tenantId) ?? this.context.clock.now()),
    );
    await this.letters.add(letters);
    for (const { code } of letters) this.counts.deadLettered(code, 1);
  }
}

/** The topic carries every balance change; only rejections are worth parsing. */
function isRejection({ headers }: IncomingMessage): boolean {
  return headers['type'] === ('usage.rejected' satisfies Rejection['type']);
}

function letterOf(
  { id: factId, tenantId, data }: Rejection,
  receivedAt: NewDeadLetter['receivedAt'],
): NewDeadLetter {
  const { source, id, code, detail, event }: RejectedUsage = data;
  const payload = Buffer.from(JSON.stringify(event ?? null));
  const origin = `${TOPICS.ledgerEvents}:${factId}`;
  return {
    tenantId,
    origin,
    code,
    faults: [code === 'identity_conflict' ? identityConflict(id) : unknownEvent(id, detail)],
    source,
    eventId: id,
    payload,
    headers: {},
    receivedAt,
  };
}

function unknownEvent(id: string, detail: string): Fault {
  return fault('id', id, detail, 'Send the correction again when its event was sent.');
}
