import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import { invalid, problem, ZodBody } from '@tallygate/platform';
import type { z } from 'zod';
import type { Caller } from '../service/tenant-session';
import { TestClock } from '../service/test-clock.service';
import type { ClockAnswer, ClockRefusal } from '../service/test-clock.service';
import { CurrentCaller } from './caller';
import { advanceBody, noBody } from './requests';

/** A test tenant's virtual time. */
@Controller('v1/test-clock')
export class TestClockController {
  constructor(private readonly clock: TestClock) {}

  @Get()
  async show(@CurrentCaller() { tenantId }: Caller) {
    const now = await this.clock.now(tenantId);
    if (now === null) throw refusal('no_test_clock', null);
    return { now: formatInstant(now) };
  }

  @Post('advance')
  @HttpCode(200)
  async advance(
    @CurrentCaller() { tenantId }: Caller,
    @Body(new ZodBody(advanceBody)) { to }: z.output<typeof advanceBody>,
  ) {
    return shown(await this.clock.advance(tenantId, to), formatInstant(to));
  }

  @Post('settle')
  @HttpCode(200)
  async settle(@CurrentCaller() { tenantId }: Caller, @Body(new ZodBody(noBody)) _: object) {
    return shown(await this.clock.settle(tenantId), null);
  }
}

function shown(outcome: Result<ClockAnswer, ClockRefusal>, to: string | null) {
  if (!outcome.ok) throw refusal(outcome.error, to);
  return { now: formatInstant(outcome.value.now), visited: outcome.value.visited };
}

function refusal(code: ClockRefusal, to: string | null) {
  if (code === 'no_test_clock') return problem(409, code, 'This tenant has no virtual clock');
  if (code === 'clock_moving') return problem(409, code, 'The clock is moving already');
  return invalid([
    { field: 'to', value: to, problem: 'lies before the present', fix: 'name a later instant' },
  ]);
}
