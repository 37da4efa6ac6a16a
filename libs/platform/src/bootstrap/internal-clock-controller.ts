import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { earliest, formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { z } from 'zod';
import { InternalGuard } from '../auth/internal-guard';
import { ZodBody } from '../http/zod-faults';
import type { ClockParticipant } from '../time/tenant-time';

export const PARTICIPANTS = Symbol('clock participants, in the order of the pipeline');

const instantText = z.string().transform((text, issues): Instant => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  issues.addIssue({ code: 'custom', message: 'is not an instant', params: { fix: parsed.error.fix } });
  return z.NEVER;
});
const settleBody = z.object({ tenantId: z.uuid(), now: instantText });
const nextDueBody = z.object({ tenantId: z.uuid(), after: instantText });

/** How billing moves a tenant's virtual clock through the services of this process. */
@Controller('internal/clock')
@UseGuards(InternalGuard)
export class InternalClockController {
  constructor(@Inject(PARTICIPANTS) private readonly participants: readonly ClockParticipant[]) {}

  /** Settles one service after the other, in the order in which facts flow. */
  @Post('settle')
  @HttpCode(200)
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
  async nextDue(
    @Body(new ZodBody(nextDueBody)) { tenantId, after }: z.infer<typeof nextDueBody>,
  ): Promise<{ nextDue: string | null }> {
    const due = earliest(
      ...(await Promise.all(this.participants.map((participant) => participant.nextDue(tenantId, after)))),
    );
    return { nextDue: due === null ? null : formatInstant(due) };
  }
}
