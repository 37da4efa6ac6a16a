/** A decimal of any length, for exact comparison: no leading zeros in `whole`, no trailing ones in `fraction`. */
export interface Decimal {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

const SHAPE = /^(-?)(\d+)(?:\.(\d+))?$/;
const EXPONENT = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/;

/** Reads a JSON number (as its shortest decimal) or a text of digits; null for everything else. */
export function decimalOf(value: unknown): Decimal | null {
  if (typeof value === 'string') return fromDigits(value);
  return typeof value === 'number' && Number.isFinite(value) ? fromNumber(value) : null;
}

/** Below 0 when a < b, 0 when equal, above 0 when a > b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  return a.negative ? compareSizes(b, a) : compareSizes(a, b);
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.whole.length !== b.whole.length) return a.whole.length - b.whole.length;
  return compareTexts(a.whole, b.whole) || compareTexts(a.fraction, b.fraction);
}

/** Digits of one length, or fractions, whose shorter one is a prefix of zeros: text order is numeric order. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function fromDigits(text: string): Decimal | null {
  const parts = SHAPE.exec(text);
  return parts === null ? null : decimal(parts[1] === '-', parts[2] ?? '', parts[3] ?? '');
}

function fromNumber(value: number): Decimal | null {
  const text = String(value);
  const parts = EXPONENT.exec(text);
  if (parts === null) return fromDigits(text);
  const [, sign, first = '', rest = '', exponent] = parts;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  return decimal(sign === '-', whole, fraction);
}

function decimal(negative: boolean, digits: string, decimals: string): Decimal {
  const whole = digits.replace(/^0+/, '');
  const fraction = decimals.replace(/0+$/, '');
  return { negative: negative && whole + fraction !== '', whole, fraction };
}
