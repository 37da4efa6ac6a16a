import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { Api, invalid, Operation, ZodBody } from '@tallygate/platform';
import type { Result } from '@tallygate/kernel';
import type { z } from 'zod';
import { Catalogs } from '../service/catalog.service';
import type { AppliedCatalog, CatalogRefusal } from '../service/catalog.service';
import type { Caller } from '../service/tenant-session';
import { CurrentCaller } from './caller';
import { BILLING_TAG, CATALOG } from './operations';
import { ledgerUnreachable, reratingNotSupported, usageRated } from './refusals';
import { catalogBody, priceBody } from './requests';

/** What a provider sells: the document of `tallygate apply`, as JSON or YAML. */
@Api(BILLING_TAG)
@Controller('v1')
export class CatalogController {
  constructor(private readonly catalogs: Catalogs) {}

  @Put('catalog')
  @Operation(CATALOG.apply)
  async apply(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(catalogBody)) document: z.output<typeof catalogBody>,
  ) {
    return applied(await this.catalogs.apply(caller, document));
  }

  @Get('catalog')
  @Operation(CATALOG.show)
  async show(@CurrentCaller() caller: Caller) {
    return this.catalogs.find(caller);
  }

  @Post('prices')
  @Operation(CATALOG.append)
  @HttpCode(201)
  async append(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(priceBody)) { rerate, ...row }: z.output<typeof priceBody>,
  ) {
    if (rerate) throw reratingNotSupported();
    return applied(await this.catalogs.appendPrice(caller, row));
  }
}

function applied(outcome: Result<AppliedCatalog, CatalogRefusal>): AppliedCatalog {
  if (outcome.ok) return outcome.value;
  const refusal = outcome.error;
  switch (refusal.kind) {
    case 'invalid':
      throw invalid(refusal.faults);
    case 'rated':
      throw usageRated(refusal.rated);
    case 'unreachable':
      throw ledgerUnreachable();
  }
}
