import { Controller, Get, Inject } from '@nestjs/common';
import { z } from 'zod';
import { Api, Operation } from './operation';
import { OPERATIONS_TAG } from './operations-tag';
import type { OpenApiDocument } from './document';

/** A function, because the document is about the process that this controller is a part of. */
export const DOCUMENT = Symbol('the OpenAPI document of this process');

@Api(OPERATIONS_TAG)
@Controller()
export class OpenApiController {
  constructor(@Inject(DOCUMENT) private readonly document: () => OpenApiDocument) {}

  @Get('openapi.json')
  @Operation({
    id: 'getOpenApi',
    summary: 'This document',
    answer: z.looseObject({ openapi: z.string() }),
    example: { openapi: '3.1.0' },
  })
  show(): OpenApiDocument & { readonly openapi: string } {
    return this.document() as OpenApiDocument & { readonly openapi: string };
  }
}
