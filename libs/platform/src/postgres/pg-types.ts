import { types } from 'pg';
import type { CustomTypesConfig } from 'pg';

type Parser = (text: string) => unknown;

const OID = {
  int8: 20,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  int8Array: 1016,
  textArray: 1009,
  numericArray: 1231,
  timestampArray: 1115,
  timestamptzArray: 1185,
  dateArray: 1182,
} as const;

const textArray = types.getTypeParser(OID.textArray as number) as (text: string) => (string | null)[];
const asText: Parser = (text) => text;

const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [OID.int8, (text) => BigInt(text)],
  [OID.int8Array, (text) => textArray(text).map((element) => (element === null ? null : BigInt(element)))],
  [OID.numericArray, textArray],
  [OID.date, asText],
  [OID.dateArray, textArray],
  [OID.timestamp, asText],
  [OID.timestampArray, textArray],
  [OID.timestamptz, asText],
  [OID.timestamptzArray, textArray],
  [OID.numeric, asText],
]);

/** int8 as bigint, numeric and every time as text: nothing that PostgreSQL holds exactly becomes a double or a Date. */
export const exactTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format === 'binary' ? undefined : PARSERS.get(oid)) ??
    types.getTypeParser(oid, format as 'text')) as CustomTypesConfig['getTypeParser'],
};
