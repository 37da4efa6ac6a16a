import { invariant } from './invariant';
import { err, ok } from './result';
import type { Result } from './result';
import { shown } from './shown';

/** An amount, price or quantity in units of 10⁻⁹ of its currency, credit unit or meter unit. */
export type Nano = bigint;

/** One whole unit. */
export const NANO = 1_000_000_000n;

/** Why a decimal was refused, and what to send instead. */
export interface DecimalFault {
  code:
    | 'not_a_decimal'
    | 'too_many_decimals'
    | 'out_of_range'
    | 'negative'
    | 'inexact_number'
    | 'exponent_not_allowed';
  value: string;
  fix: string;
}

const DECIMALS = 9;
const LIMIT = 10n ** 27n * NANO;
const LONGEST_DECIMAL = 128;
const EXACT_DIGITS = 15;
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

const FIXES: Record<DecimalFault['code'], string> = {
  not_a_decimal: 'Send a decimal string such as "12.5".',
  too_many_decimals: 'Send at most 9 digits after the decimal point.',
  out_of_range: 'Send a magnitude of at most 10^27.',
  negative: 'Send a value that is not negative.',
  inexact_number: 'Send the value as a decimal string: this number cannot carry it exactly.',
  exponent_not_allowed: 'Write the digits out, without an exponent.',
};

const EXPONENT = /^-?\d+(?:\.\d+)?[eE][+-]?\d+$/;

/**
 * Reads an amount from a decimal string, such as "12.5" or "-3".
 * At most 9 decimals and 10²⁷ whole units; JSON numbers are refused, since money never passes through a double.
 */
export function parseAmount(text: unknown): Result<Nano, DecimalFault> {
  if (typeof text !== 'string') return refuse('not_a_decimal', text);
  return parseDecimal(text);
}

/** As {@link parseAmount}, and above zero. */
export function parsePositiveAmount(text: unknown): Result<Nano, DecimalFault> {
  const parsed = parseAmount(text);
  if (!parsed.ok || parsed.value > 0n) return parsed;
  if (parsed.value < 0n) return refuse('negative', text, 'Send an amount above zero.');
  return refuse('out_of_range', text, 'Send an amount above zero.');
}

/**
 * Reads a quantity from a decimal string or a JSON number; zero is a quantity.
 * A number counts as its shortest decimal; one above 2⁵³ − 1 may already have lost digits and is refused.
 */
export function parseQuantity(value: unknown): Result<Nano, DecimalFault> {
  const parsed = typeof value === 'number' ? parseNumber(value) : parseAmount(value);
  if (!parsed.ok || parsed.value >= 0n) return parsed;
  return refuse('negative', value, 'Send a correction of the earlier event instead of a negative quantity.');
}

/** The shortest decimal string that reads back as the same amount: "0.002", "-3". */
export function formatAmount(nano: Nano): string {
  if (nano < 0n) return `-${formatAmount(-nano)}`;
  if (nano > BigInt(Number.MAX_SAFE_INTEGER)) return formatParts(nano / NANO, nano % NANO);
  // Below 2^53 a double is exact and several times faster than bigint division.
  const small = Number(nano);
  const fraction = small % 1e9;
  return formatParts((small - fraction) / 1e9, fraction);
}

/** quantity × price, rounded half-even to 10⁻⁹: the one rounding of a rated event. */
export function multiplyHalfEven(quantity: Nano, price: Nano): Nano {
  return divideHalfEven(quantity * price, NANO);
}

/** numerator / denominator as the nearest integer, ties to the even one. Throws on a zero denominator. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  invariant(denominator !== 0n, 'Division by zero');
  const quotient = numerator / denominator;
  const rest = numerator - quotient * denominator;
  if (rest === 0n) return quotient;
  const twice = 2n * magnitude(rest);
  const size = magnitude(denominator);
  const awayFromZero = twice > size || (twice === size && (quotient & 1n) === 1n);
  if (!awayFromZero) return quotient;
  return numerator < 0n === denominator < 0n ? quotient + 1n : quotient - 1n;
}

/** The smaller of two. */
export function minNano(a: Nano, b: Nano): Nano {
  return a < b ? a : b;
}

/** The larger of two. */
export function maxNano(a: Nano, b: Nano): Nano {
  return a > b ? a : b;
}

/** The exact sum; 0 for none. */
export function sumNano(list: Iterable<Nano>): Nano {
  let sum = 0n;
  for (const nano of list) sum += nano;
  return sum;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function refuse(code: DecimalFault['code'], value: unknown, fix = FIXES[code]): Result<Nano, DecimalFault> {
  return err({ code, value: shown(value), fix });
}

function formatParts(whole: number | bigint, fraction: number | bigint): string {
  if (!fraction) return whole.toString();
  const digits = fraction.toString().padStart(DECIMALS, '0');
  let end = DECIMALS;
  while (digits.charCodeAt(end - 1) === 48) end -= 1;
  return `${whole}.${digits.slice(0, end)}`;
}

function parseNumber(value: number): Result<Nano, DecimalFault> {
  if (!Number.isFinite(value)) return refuse('not_a_decimal', value);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return refuse('inexact_number', value);
  return parseDecimal(expandExponent(String(value)));
}

/** Within ±2⁵³ a shortest decimal has a negative exponent or none. */
function expandExponent(shortest: string): string {
  const at = shortest.indexOf('e-');
  if (at < 0) return shortest;
  const sign = shortest.startsWith('-') ? '-' : '';
  const digits = shortest.slice(sign.length, at).replace('.', '');
  const zeros = Number(shortest.slice(at + 2)) - 1;
  return zeros > LONGEST_DECIMAL
    ? `${sign}0.${'0'.repeat(DECIMALS)}1`
    : `${sign}0.${'0'.repeat(zeros)}${digits}`;
}

function parseDecimal(text: string): Result<Nano, DecimalFault> {
  if (text.length > LONGEST_DECIMAL) return refuse('not_a_decimal', text);
  const start = text.charCodeAt(0) === 45 ? 1 : 0;
  const wholeEnd = endOfDigits(text, start);
  const end = text.charCodeAt(wholeEnd) === 46 ? endOfDigits(text, wholeEnd + 1) : wholeEnd;
  if (wholeEnd === start || end === wholeEnd + 1 || end !== text.length)
    return refuse(unreadable(text), text);
  const decimals = end === wholeEnd ? 0 : end - wholeEnd - 1;
  if (decimals > DECIMALS) return refuse('too_many_decimals', text);
  const size = scaled(text.slice(start, wholeEnd), text.slice(wholeEnd + 1), DECIMALS - decimals);
  if (size > LIMIT) return refuse('out_of_range', text);
  return ok(start === 1 ? -size : size);
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  for (let c = text.charCodeAt(at); c >= 48 && c <= 57; c = text.charCodeAt(at)) at += 1;
  return at;
}

function unreadable(text: string): DecimalFault['code'] {
  return EXPONENT.test(text) ? 'exponent_not_allowed' : 'not_a_decimal';
}

/** Up to 15 digits are exact in a double, which skips the slow bigint parser. */
function scaled(whole: string, fraction: string, missing: number): bigint {
  const digits = whole + fraction;
  if (digits.length + missing <= EXACT_DIGITS) return BigInt(Number(digits) * (POWERS[missing] ?? 1));
  return BigInt(digits) * BigInt(POWERS[missing] ?? 1);
}
