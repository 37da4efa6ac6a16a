export { ok, err } from './result';
export type { Ok, Err, Result } from './result';
export { InvariantViolation, invariant, assertNever } from './invariant';
export {
  NANO,
  parseAmount,
  parsePositiveAmount,
  parseQuantity,
  formatAmount,
  multiplyHalfEven,
  divideHalfEven,
  minNano,
  maxNano,
  sumNano,
} from './amount';
export type { Nano, DecimalFault } from './amount';
export { minorDigits, roundToMinor } from './currency';
export {
  MICROS,
  instant,
  parseInstant,
  formatInstant,
  fromMillis,
  toMillis,
  addMicros,
  minInstant,
  maxInstant,
  earliest,
} from './instant';
export type { Instant, InstantFault } from './instant';
export { parseDuration, formatDuration, exactMicros } from './duration';
export type { Duration, DurationFault } from './duration';
export { isTimeZone, toLocal, fromLocal, weekday, addCalendar } from './calendar';
export type { LocalDateTime } from './calendar';
export { startOf, windowsBetween } from './windows';
export type { CalendarUnit } from './windows';
export { periodAt, periodContaining, recurrenceAt } from './periods';
export type { Interval, Period } from './periods';
export { Clock, SystemClock, ManualClock } from './clock';
export { Ids, SequentialIds, uuidV7, isUuid } from './ids';
