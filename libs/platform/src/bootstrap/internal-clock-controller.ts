import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { earliest, formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { z } from 'zod';
import { InternalGuard } from '../auth/internal-guard';
import { ZodBody } from '../http/zod-faults';
import { Api, Operation } from '../openapi/operation';
import { OPERATIONS_TAG } from '../openapi/operations-tag';
import type { ClockParticipant } from '../time/tenant-time';

export const PARTICIPANTS = Symbol('clock participants, in the order of the pipeline');

const instantText = z.string().transform((text, issues): Instant => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  issues.addIssue({ code: 'custom', message: 'is not an instant', params: { fix: parsed.error.fix } });
  return z.NEVER;
});
const EXAMPLE_TENANT = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99';
const settleBody = z.object({ tenantId: z.uuid(), now: instantText });
const nextDueBody = z.object({ tenantId: z.uuid(), after: instantText });

/** How billing moves a tenant's virtual clock through the services of this process. */
@Api(OPERATIONS_TAG)
@Controller('internal/clock')
@UseGuards(InternalGuard)
export class InternalClockController {
  constructor(@Inject(PARTICIPANTS) private readonly participants: readonly ClockParticipant[]) {}

  @Post('arrive')
  @HttpCode(200)
  @Operation({
    id: 'arrive',
    summary: 'Sets the clock of a tenant, and does nothing else',
    body: { example: { tenantId: EXAMPLE_TENANT, now: '2026-03-01T00:00:00Z' } },
    answer: z.strictObject({ now: z.string() }),
    example: { now: '2026-03-01T00:00:00Z' },
  })
  async arrive(
    @Body(new ZodBody(settleBody)) { tenantId, now }: z.infer<typeof settleBody>,
  ): Promise<{ now: string }> {
    await Promise.all(this.participants.map((participant) => participant.arrive(tenantId, now)));
    return { now: formatInstant(now) };
  }

  /** Settles one service after the other, in the order in which facts flow. */
  @Post('settle')
  @HttpCode(200)
  @Operation({
    id: 'settle',
    summary: 'Does what is due for a tenant at an instant',
    body: { example: { tenantId: EXAMPLE_TENANT, now: '2026-03-01T00:00:00Z' } },
    answer: z.strictObject({ activity: z.int() }),
    example: { activity: 3 },
  })
  async settle(
    @Body(new ZodBody(settleBody)) { tenantId, now }: z.infer<typeof settleBody>,
  ): Promise<{ activity: number }> {
    let activity = 0;
    for (const participant of this.participants)
      activity += (await participant.settle(tenantId, now)).activity;
    return { activity };
  }

  @Post('next-due')
  @HttpCode(200)
  @Operation({
    id: 'nextDue',
    summary: 'The next instant at which something is due for a tenant',
    body: { example: { tenantId: EXAMPLE_TENANT, after: '2026-03-01T00:00:00Z' } },
    answer: z.strictObject({ nextDue: z.string().nullable() }),
    example: { nextDue: '2026-04-01T00:00:00Z' },
  })
  async nextDue(
    @Body(new ZodBody(nextDueBody)) { tenantId, after }: z.infer<typeof nextDueBody>,
  ): Promise<{ nextDue: string | null }> {
    const due = earliest(
      ...(await Promise.all(this.participants.map((participant) => participant.nextDue(tenantId, after)))),
    );
    return { nextDue: due === null ? null : formatInstant(due) };
  }
}
