import { z } from 'zod';

export type JsonSchema = { readonly [key: string]: unknown };

/** Schemas with an id, by that id: written once in the document and referred to from everywhere. */
export type Components = Map<string, JsonSchema>;

const OWN = '#/$defs/';
const SHARED = '#/components/schemas/';

/** What a caller must send to satisfy the schema: before defaults and transformations. */
export function requestSchema(schema: z.ZodType, components: Components): JsonSchema {
  return hoisted(converted(schema, 'input'), components);
}

/** What an answer is. Clients must bear keys they do not know, so that an answer may grow: objects are left open. */
export function answerSchema(schema: z.ZodType, components: Components): JsonSchema {
  return hoisted(opened(converted(schema, 'output')) as JsonSchema, components);
}

function converted(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  return json;
}

function opened(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(opened);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(
    ([key, value]) => !(key === 'additionalProperties' && value === false),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, opened(value)]));
}

function hoisted(json: JsonSchema, components: Components): JsonSchema {
  const { $defs = {}, ...rest } = json;
  for (const [id, schema] of Object.entries($defs as Record<string, JsonSchema>))
    share(id, schema, components);
  return referring(rest) as JsonSchema;
}

function share(id: string, schema: JsonSchema, components: Components): void {
  const body = referring(schema) as JsonSchema;
  const before = components.get(id);
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(body))
    throw new Error(`Two schemas have the id ${id}`);
  components.set(id, body);
}

function referring(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(referring);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && typeof value === 'string' && value.startsWith(OWN)
        ? [key, `${SHARED}${value.slice(OWN.length)}`]
        : [key, referring(value)],
    ),
  );
}
