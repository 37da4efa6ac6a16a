import { Body, Controller, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import { invalid, ZodBody } from '@tallygate/platform';
import type { Result } from '@tallygate/kernel';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Fault } from '../domain';
import { Catalogs } from '../service/catalog.service';
import type { AppliedCatalog } from '../service/catalog.service';
import type { Caller } from '../service/tenant-session';
import { CurrentCaller } from './caller';
import { catalogBody, priceBody } from './requests';

/** What a provider sells: the document of `tallygate apply`, as JSON or YAML. */
@Controller('v1')
export class CatalogController {
  constructor(private readonly catalogs: Catalogs) {}

  @Put('catalog')
  async apply(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest) {
    const document = new ZodBody(catalogBody).transform(request.body);
    return applied(await this.catalogs.apply(caller, document));
  }

  @Get('catalog')
  async show(@CurrentCaller() caller: Caller) {
    return this.catalogs.find(caller);
  }

  @Post('prices')
  @HttpCode(201)
  async append(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(priceBody)) row: z.output<typeof priceBody>,
  ) {
    return applied(await this.catalogs.appendPrice(caller, row));
  }
}

function applied(outcome: Result<AppliedCatalog, readonly Fault[]>): AppliedCatalog {
  if (outcome.ok) return outcome.value;
  throw invalid(outcome.error);
}
