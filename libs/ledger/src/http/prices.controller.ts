import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import type { PriceAnswer } from '@tallygate/contracts';
import { Api, Database, InternalGuard, Operation, TenantTime, ZodBody } from '@tallygate/platform';
import { AnnouncedPrices } from '../service/announced-prices.service';
import { LEDGER_TAG, PRICES } from './operations';
import { announcementBody, withdrawalBody } from './requests';

/** Billing's question before it states a price row. */
@Api(LEDGER_TAG)
@Controller('internal/prices')
@UseGuards(InternalGuard)
export class PricesController {
  constructor(
    private readonly prices: AnnouncedPrices,
    private readonly database: Database,
    private readonly time: TenantTime,
  ) {}

  @Post('announce')
  @HttpCode(200)
  @Operation(PRICES.announce)
  announce(
    @Body(new ZodBody(announcementBody)) body: z.output<typeof announcementBody>,
  ): Promise<PriceAnswer> {
    return this.database.asTenant(body.tenantId, (tx) => this.prices.announce(tx, body));
  }

  @Post('withdraw')
  @HttpCode(200)
  @Operation(PRICES.withdraw)
  async withdraw(
    @Body(new ZodBody(withdrawalBody)) { tenantId, id }: z.output<typeof withdrawalBody>,
  ): Promise<unknown> {
    const now = await this.time.now(tenantId);
    await this.database.asTenant(tenantId, (tx) => this.prices.withdraw(tx, tenantId, id, now));
    return { withdrawn: id };
  }
}
