import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Put, Query } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import {
  Api,
  CurrentPrincipal,
  Operation,
  RequireScope,
  RootOnly,
  wholeNumber,
  ZodBody,
} from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { AuditLog } from '../service/audit-log';
import { CloseDeadLetter } from '../service/close-dead-letter.service';
import type { Closing, LetterAction } from '../service/close-dead-letter.service';
import { DeadLetterStore, NO_TENANT } from '../service/dead-letters';
import type { DeadLetter } from '../service/dead-letters';
import { ParkedStore } from '../service/ports';
import type { ParkedEvent } from '../service/ports';
import { eventRefusal } from './acceptance-answer';
import { shownAudit } from './audit.controller';
import { LETTERS } from './mending-operations';
import { INGESTION_TAG, KEPT, LETTER_REFUSALS } from './operations';

const limit = wholeNumber(1, 1000).prefault('1000');
const lettersQuery = z.strictObject({
  status: z.enum(['open', 'replayed', 'discarded']).default('open'),
  limit,
  after: z.uuid().optional(),
});
const parkedQuery = z.strictObject({ limit });
const said = z.string().trim().min(1).max(1000).optional();
const event = z.record(z.string(), z.unknown());
const editBody = z.strictObject({ event, author: said, reason: said });
const replayBody = z.strictObject({ event: event.optional(), author: said, reason: said }).optional();
const discardBody = z.strictObject({ author: said, reason: said }).optional();

/** Usage that is kept because it could not be handed on: parked events and dead letters. */
@Api(INGESTION_TAG)
@Controller('v1')
export class KeptUsageController {
  constructor(
    private readonly parkedEvents: ParkedStore,
    private readonly letters: DeadLetterStore,
    private readonly closing: CloseDeadLetter,
    private readonly log: AuditLog,
  ) {}

  @Get('parked')
  @Operation(KEPT.parked)
  async parked(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(parkedQuery)) query: z.output<typeof parkedQuery>,
  ) {
    return { parked: (await this.parkedEvents.list(tenantId, query.limit)).map(shownParked) };
  }

  @Get('dead-letters')
  @Operation(KEPT.list)
  async list(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(lettersQuery)) query: z.output<typeof lettersQuery>,
  ) {
    return this.page(tenantId, query);
  }

  /** Messages that named no tenant. */
  @Get('unassigned-dead-letters')
  @Operation(KEPT.unassigned)
  @RootOnly()
  async unassigned(@Query(new ZodBody(lettersQuery)) query: z.output<typeof lettersQuery>) {
    return this.page(NO_TENANT, query);
  }

  /** One letter with what was done to it. */
  @Get('dead-letters/:letter')
  @Operation(LETTERS.inspect)
  async inspect(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('letter', new ParseUUIDPipe()) id: string,
  ) {
    const letter = await this.letters.find(tenantId, id);
    if (letter === null) throw LETTER_REFUSALS.unknown();
    const done = await this.log.list(tenantId, { subject: id, before: null, limit: 1000 });
    return { ...shownLetter(letter), mended: letter.mended ?? null, audit: done.map(shownAudit) };
  }

  /** Keeps a mended event with the letter; a replay sends it. */
  @Put('dead-letters/:letter')
  @Operation(LETTERS.edit)
  @RequireScope('write')
  async edit(
    @CurrentPrincipal() principal: Principal,
    @Param('letter', new ParseUUIDPipe()) letter: string,
    @Body(new ZodBody(editBody)) { event, ...said }: z.output<typeof editBody>,
  ) {
    return shownClosing(await this.closing.edit(actionOf(principal, letter, said), event));
  }

  @Post('dead-letters/:letter/replay')
  @Operation(KEPT.replay)
  @RequireScope('write')
  @HttpCode(200)
  async replay(
    @CurrentPrincipal() principal: Principal,
    @Param('letter', new ParseUUIDPipe()) letter: string,
    @Body(new ZodBody(replayBody)) body: z.output<typeof replayBody>,
  ) {
    const { event, ...said } = body ?? {};
    return shownClosing(await this.closing.replay(actionOf(principal, letter, said), event ?? null));
  }

  @Post('dead-letters/:letter/discard')
  @Operation(KEPT.discard)
  @RequireScope('write')
  @HttpCode(200)
  async discard(
    @CurrentPrincipal() principal: Principal,
    @Param('letter', new ParseUUIDPipe()) letter: string,
    @Body(new ZodBody(discardBody)) body: z.output<typeof discardBody>,
  ) {
    return shownClosing(await this.closing.discard(actionOf(principal, letter, body ?? {})));
  }

  private async page(tenantId: string, { status, limit: most, after }: z.output<typeof lettersQuery>) {
    return {
      dead_letters: (await this.letters.list(tenantId, status, most, after ?? null)).map(shownLetter),
    };
  }
}

function actionOf(
  { tenantId, keyId }: Principal,
  letterId: string,
  { author, reason }: { readonly author?: string; readonly reason?: string },
): LetterAction {
  return { tenantId, keyId, letterId, author: author ?? null, reason: reason ?? null };
}

function shownParked({ id, code, source, type, subject, occurredAt, receivedAt }: ParkedEvent) {
  return {
    id,
    code,
    source,
    type,
    subject,
    occurred_at: formatInstant(occurredAt),
    received_at: formatInstant(receivedAt),
  };
}

/** `id` is the event's; `letter` names the letter. The payload as text, or in base64 when it is none. */
function shownLetter({
  id,
  eventId,
  code,
  source,
  faults,
  status,
  receivedAt,
  origin,
  headers,
  payload,
}: DeadLetter) {
  const content = isUtf8(payload)
    ? { payload: payload.toString('utf8') }
    : { payload_base64: payload.toString('base64') };
  return {
    letter: id,
    id: eventId,
    code,
    source,
    faults,
    status,
    received_at: formatInstant(receivedAt),
    origin,
    headers,
    ...content,
  };
}

function shownClosing(closing: Closing) {
  switch (closing.kind) {
    case 'closed':
    case 'edited':
      return shownLetter(closing.letter);
    case 'not_found':
      throw LETTER_REFUSALS.unknown();
    case 'closed_before':
      throw LETTER_REFUSALS.closed(closing.letter.status);
    case 'invalid':
      throw eventRefusal({ kind: 'invalid', id: null, faults: closing.faults });
    case 'conflict':
      throw eventRefusal({ kind: 'conflict', id: closing.id, source: '' });
  }
}
