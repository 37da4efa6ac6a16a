import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { instantText } from '@tallygate/contracts';
import { formatInstant, parseInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, invalid, Operation, RequireScope, wholeNumber } from '@tallygate/platform';
import { ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { BackfillUsage } from '../service/backfill-usage.service';
import { BackfillStore } from '../service/backfills';
import type { Backfill } from '../service/backfills';
import { answerTo } from './acceptance-answer';
import { durable } from './durable';
import { eventRequest } from './event-request';
import { BACKFILL_REFUSALS, BACKFILLS } from './mending-operations';
import { INGESTION_TAG } from './operations';

const moment = instantText.transform((text) => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
});
const said = z.string().trim().min(1).max(1000);
const openBody = z.strictObject({ from: moment, to: moment, author: said, reason: said });
const closeBody = z.strictObject({ author: said });
const listQuery = z.strictObject({ limit: wholeNumber(1, 1000).prefault('100') });

/** Usage of a past period, brought in by an administrator as one operation that names who and why. */
@Api(INGESTION_TAG)
@Controller('v1/backfills')
@RequireScope('admin')
export class BackfillsController {
  constructor(
    private readonly backfills: BackfillUsage,
    private readonly store: BackfillStore,
  ) {}

  @Post()
  @Operation(BACKFILLS.open)
  async open(
    @CurrentPrincipal() { tenantId, keyId }: Principal,
    @Body(new ZodBody(openBody)) body: z.output<typeof openBody>,
  ): Promise<unknown> {
    const opening = await this.backfills.open({ ...body, tenantId, keyId });
    switch (opening.kind) {
      case 'opened':
        return shown(opening.backfill);
      case 'empty_period':
        throw invalid([{ field: 'to', value: null, problem: 'is not after from', fix: 'send a later end' }]);
      case 'in_future':
        throw invalid([
          { field: 'to', value: null, problem: 'lies ahead', fix: 'send a period that is over' },
        ]);
    }
  }

  @Get()
  @Operation(BACKFILLS.list)
  async list(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(listQuery)) { limit }: z.output<typeof listQuery>,
  ): Promise<unknown> {
    return { backfills: (await this.store.list(tenantId, limit)).map(shown) };
  }

  @Get(':backfill')
  @Operation(BACKFILLS.find)
  async find(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('backfill', new ParseUUIDPipe()) id: string,
  ): Promise<unknown> {
    const backfill = await this.store.find(tenantId, id);
    if (backfill === null) throw BACKFILL_REFUSALS.unknown();
    return shown(backfill);
  }

  /** As POST /v1/events, with the backfill's period in the place of the dedup window. */
  @Post(':backfill/events')
  @Operation(BACKFILLS.take)
  async take(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('backfill', new ParseUUIDPipe()) id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const sent = eventRequest(request);
    const filling = await durable(() => this.backfills.take(tenantId, id, sent.events));
    if (filling.kind === 'not_found') throw BACKFILL_REFUSALS.unknown();
    if (filling.kind === 'closed_before') throw BACKFILL_REFUSALS.closed();
    const answer = answerTo(sent, filling.answers);
    void reply.status(answer.status);
    return answer.body;
  }

  @Post(':backfill/close')
  @Operation(BACKFILLS.close)
  @HttpCode(200)
  async close(
    @CurrentPrincipal() { tenantId, keyId }: Principal,
    @Param('backfill', new ParseUUIDPipe()) id: string,
    @Body(new ZodBody(closeBody)) { author }: z.output<typeof closeBody>,
  ): Promise<unknown> {
    const closing = await this.backfills.close(tenantId, id, { keyId, author });
    if (closing.kind === 'not_found') throw BACKFILL_REFUSALS.unknown();
    if (closing.kind === 'closed_before') throw BACKFILL_REFUSALS.closed();
    return shown(closing.backfill);
  }
}

function shown({ id, from, to, author, keyId, reason, status, openedAt, closedAt, counts }: Backfill) {
  return {
    id,
    from: formatInstant(from),
    to: formatInstant(to),
    author,
    key: keyId,
    reason,
    status,
    opened_at: formatInstant(openedAt),
    closed_at: closedAt === null ? null : formatInstant(closedAt),
    ...counts,
  };
}
