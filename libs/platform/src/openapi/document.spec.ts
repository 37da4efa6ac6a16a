import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { Public, RequireScope } from '../auth/api-key-guard';
import { IdempotencyKey } from '../http/idempotency';
import { problem } from '../http/problem';
import { wholeNumber } from '../http/query';
import { ZodBody } from '../http/zod-faults';
import { requireDocumented } from './answer-check';
import { openApiDocument, undocumented } from './document';
import { Api, Operation } from './operation';

const thing = z.strictObject({ name: z.string() }).meta({ id: 'Thing' });
const newThing = z.strictObject({
  name: z
    .string()
    .min(1)
    .transform((name) => name.trim()),
});
const page = z.strictObject({ limit: wholeNumber(1, 50).prefault('10') });
const taken = () => problem(409, 'name_taken', 'Another thing has this name');

@Api({ name: 'things', description: 'Things.' })
@Controller('v1/things')
class ThingsController {
  @Get(':customer')
  @Operation({ id: 'getThing', summary: 'A thing', answer: thing, example: { name: 'n' } })
  show(@Param('customer') name: string) {
    return { name };
  }

  @Get()
  @Public()
  @Operation({ id: 'listThings', summary: 'Things', answer: z.array(thing), example: [] })
  list(@Query(new ZodBody(page)) { limit }: z.output<typeof page>) {
    return [{ name: String(limit) }];
  }

  @Post()
  @RequireScope('admin')
  @Operation({
    id: 'createThing',
    summary: 'Makes a thing',
    body: { example: { name: 'n' } },
    answer: thing,
    example: { name: 'n' },
    refusals: [taken()],
  })
  create(@Body(new ZodBody(newThing)) { name }: z.output<typeof newThing>, @IdempotencyKey() _: string) {
    return { name };
  }

  @Delete(':id')
  @HttpCode(204)
  forgotten() {}
}

const document = openApiDocument({ name: 'things', controllers: [ThingsController] });
const operation = (path: string, method: string) =>
  document.paths[path]?.[method] as Record<string, never> & {
    parameters: unknown[];
    responses: Record<string, { content: Record<string, { schema: unknown; examples: object }> }>;
  };

test('what a handler takes is read from its own pipes', () => {
  expect(operation('/v1/things', 'get').parameters).toEqual([
    {
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
    },
  ]);
  expect(operation('/v1/things', 'post')).toMatchObject({
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { properties: { name: { type: 'string', minLength: 1 } }, additionalProperties: false },
          example: { name: 'n' },
        },
      },
    },
    parameters: [{ name: 'Idempotency-Key', in: 'header', required: true }],
  });
  expect(operation('/v1/things/{customer}', 'get').parameters).toMatchObject([
    { name: 'customer', in: 'path', required: true, schema: { type: 'string' } },
  ]);
});

test('who is let in is read from its guards', () => {
  expect(operation('/v1/things', 'post')['security']).toContainEqual({ api_key: ['admin'] });
  expect(operation('/v1/things/{customer}', 'get')['security']).toContainEqual({ api_key: ['read'] });
  expect(operation('/v1/things', 'get')['security']).toEqual([]);
});

test('every refusal is there with its code and its body', () => {
  const { responses } = operation('/v1/things', 'post');
  expect(Object.keys(responses)).toEqual([
    '201',
    '400',
    '401',
    '403',
    '409',
    '413',
    '415',
    '422',
    '500',
    '503',
  ]);
  expect(responses['409']?.content['application/problem+json']).toMatchObject({
    schema: {
      allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: ['name_taken'] } } }],
    },
    examples: {
      name_taken: { value: { status: 409, code: 'name_taken', title: 'Another thing has this name' } },
    },
  });
  expect(Object.keys(responses['422']?.content['application/problem+json']?.examples ?? {})).toEqual([
    'invalid_request',
    'invalid_request_2',
    'idempotency_key_reused',
  ]);
});

test('what is answered is written once, and may grow', () => {
  expect(document['components']).toMatchObject({
    schemas: { Thing: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  });
  expect(JSON.stringify(document['components'])).not.toContain('"additionalProperties":false');
});

test('a handler without a contract is named', () => {
  expect(undocumented([ThingsController])).toEqual(['DELETE /v1/things/:id (ThingsController.forgotten)']);
});

test('a service with a route that is not documented, or the reverse, does not start where answers are checked', () => {
  const registered = ['GET /v1/things', 'POST /v1/things', 'DELETE /v1/things/:id'];
  expect(() => requireDocumented(registered, [ThingsController])).toThrow(
    'OpenAPI: DELETE /v1/things/:id is not documented; GET /v1/things/:customer is not answered',
  );
});
