import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { CORRECTION_TYPE } from '@tallygate/contracts';
import {
  Api,
  CurrentPrincipal,
  IdempotencyKey,
  Operation,
  problem,
  RequireScope,
  TenantTime,
  ZodBody,
} from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { AcceptUsage } from '../service/accept-usage.service';
import type { Acceptance } from '../service/accept-usage.service';
import { AuditLog } from '../service/audit-log';
import { durable } from './durable';
import { singleAnswer } from './acceptance-answer';
import { CORRECTIONS } from './mending-operations';
import { INGESTION_TAG } from './operations';

/** The source of corrections that come by this route; their id is the request's Idempotency-Key. */
const SOURCE = 'tallygate/corrections';

const name = z.string().min(1).max(255);
const said = z.string().trim().min(1).max(1000);
const correctionBody = z
  .strictObject({
    source: name,
    id: name,
    type: name.optional(),
    reverse: z.literal(true).optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    author: said.optional(),
    reason: said.optional(),
  })
  .refine(({ reverse, data }) => (reverse === undefined) !== (data === undefined), {
    path: ['reverse'],
    error: 'must be true, or data must be there to amend the event; one of both',
  });

/** Usage that was wrong: reversed as if it had never happened, or amended. */
@Api(INGESTION_TAG)
@Controller('v1/corrections')
export class CorrectionsController {
  constructor(
    private readonly usage: AcceptUsage,
    private readonly log: AuditLog,
    private readonly time: TenantTime,
  ) {}

  @Post()
  @Operation(CORRECTIONS.correct)
  @HttpCode(202)
  @RequireScope('write')
  async correct(
    @CurrentPrincipal() { tenantId, keyId }: Principal,
    @IdempotencyKey() key: string,
    @Body(new ZodBody(correctionBody)) body: z.output<typeof correctionBody>,
  ): Promise<unknown> {
    const { author, reason, ...data } = body;
    const event = { specversion: '1.0', type: CORRECTION_TYPE, source: SOURCE, id: key, data };
    const [answer] = await durable(() => this.usage.accept(tenantId, [event]));
    if (answer !== undefined && 'duplicate' in answer && !answer.duplicate) {
      const at = await this.time.now(tenantId);
      const by = { keyId, author: author ?? null, reason: reason ?? null };
      const detail = { correction: key, ...data };
      await this.log.add({ tenantId, at, ...by, action: 'correction.sent', subject: body.id, detail });
    }
    return { source: body.source, id: body.id, correction: key, ...stateOf(answer as Acceptance) };
  }
}

/** The same for a repeat: the first answer. */
function stateOf(answer: Acceptance): object {
  switch (answer.kind) {
    case 'accepted':
      return { status: 'accepted' };
    case 'parked':
      return { status: 'parked', code: answer.code };
    case 'conflict':
      throw problem(422, 'idempotency_key_reused', 'This idempotency key was used for another request', {
        detail: 'Use a new key for a new correction, or send the same body again.',
      });
    case 'invalid': {
      const faults = answer.faults.map((one) => ({ ...one, field: one.field.replace(/^data\./, '') }));
      return singleAnswer({ ...answer, faults });
    }
  }
}
