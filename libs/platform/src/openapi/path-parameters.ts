import { keyText } from '@tallygate/contracts';
import { z } from 'zod';

interface PathParameter {
  readonly schema: z.ZodType;
  readonly description: string;
  readonly example: string;
}

const text = (most: number) => z.string().min(1).max(most);

/** What the names in paths stand for, everywhere the same. */
export const PATH_PARAMETERS: Readonly<Record<string, PathParameter>> = {
  customer: { schema: keyText, description: 'The customer’s key', example: 'acme' },
  feature: { schema: text(255), description: 'A feature’s key', example: 'completions' },
  unit: { schema: text(32), description: 'A currency or a credit unit', example: 'USD' },
  key: { schema: text(255), description: 'The key it was made under', example: 'g1' },
  which: {
    schema: z.string(),
    description: 'oldest, newest or a number, among the invoices that fit',
    example: 'oldest',
  },
  letter: {
    schema: z.uuid(),
    description: 'The dead letter’s own id',
    example: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b90',
  },
  version: { schema: z.string(), description: 'The entry’s version', example: '1' },
  backfill: {
    schema: z.uuid(),
    description: 'The backfill’s id',
    example: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b9d',
  },
  invoice: {
    schema: z.uuid(),
    description: 'The invoice’s id',
    example: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b91',
  },
  id: { schema: z.uuid(), description: 'Its id', example: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b92' },
  provider: { schema: text(64), description: 'A payment provider', example: 'sandbox' },
};

export const ANY_PARAMETER: PathParameter = { schema: text(255), description: '', example: 'x' };
