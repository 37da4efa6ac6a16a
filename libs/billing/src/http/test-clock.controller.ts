import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { z } from 'zod';
import type { Caller } from '../service/tenant-session';
import { TestClock } from '../service/test-clock.service';
import type { ClockAnswer, ClockRefusal } from '../service/test-clock.service';
import { CurrentCaller } from './caller';
import { BILLING_TAG, TEST_CLOCK } from './operations';
import { clockRefusal } from './refusals';
import { advanceBody, noBody } from './requests';

/** A test tenant's virtual time. */
@Api(BILLING_TAG)
@Controller('v1/test-clock')
export class TestClockController {
  constructor(private readonly clock: TestClock) {}

  @Get()
  @Operation(TEST_CLOCK.show)
  async show(@CurrentCaller() { tenantId }: Caller) {
    const now = await this.clock.now(tenantId);
    if (now === null) throw clockRefusal('no_test_clock', null);
    return { now: formatInstant(now) };
  }

  @Post('advance')
  @Operation(TEST_CLOCK.advance)
  @HttpCode(200)
  async advance(
    @CurrentCaller() { tenantId }: Caller,
    @Body(new ZodBody(advanceBody)) { to }: z.output<typeof advanceBody>,
  ) {
    return shown(await this.clock.advance(tenantId, to), formatInstant(to));
  }

  @Post('settle')
  @Operation(TEST_CLOCK.settle)
  @HttpCode(200)
  async settle(@CurrentCaller() { tenantId }: Caller, @Body(new ZodBody(noBody)) _: object) {
    return shown(await this.clock.settle(tenantId), null);
  }
}

function shown(outcome: Result<ClockAnswer, ClockRefusal>, to: string | null) {
  if (!outcome.ok) throw clockRefusal(outcome.error, to);
  return { now: formatInstant(outcome.value.now), visited: outcome.value.visited };
}
