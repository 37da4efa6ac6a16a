import { z } from 'zod';

const faultSchema = z
  .object({
    field: z.string().meta({ description: 'Where in the request' }),
    value: z.unknown().meta({ description: 'What was found there, shortened; null for nothing' }),
    problem: z.string(),
    fix: z.string().meta({ description: 'What to send instead' }),
  })
  .meta({ id: 'Fault' });

/** The body of every refusal (RFC 9457). Further members explain single codes. */
export const problemSchema = z
  .looseObject({
    type: z.string().meta({ format: 'uri' }),
    status: z.int(),
    code: z.string().meta({ description: 'Stable, for programs' }),
    title: z.string(),
    detail: z.string().optional(),
    faults: z.array(faultSchema).optional(),
  })
  .meta({ id: 'Problem' });
