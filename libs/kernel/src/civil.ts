/** The proleptic Gregorian calendar as day numbers: 0 is 1970-01-01. No zones, no instants. */

export const DAY_SECONDS = 86_400;

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const ERA_DAYS = 146_097;
const EPOCH_SHIFT = 719_468;

/** The non-negative remainder, exact for every safe integer. */
export function floorMod(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest + 0;
}

/** Division towards minus infinity, exact for every safe integer. */
export function floorDiv(value: number, by: number): number {
  return (value - floorMod(value, by)) / by;
}

/** Days since 1970-01-01. Counts years from March, so that the leap day ends its year. */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = floorDiv(y, 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * ERA_DAYS + dayOfEra - EPOCH_SHIFT;
}

/** The inverse of {@link dayNumber}. */
export function civilDate(days: number): CivilDate {
  const shifted = days + EPOCH_SHIFT;
  const era = floorDiv(shifted, ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** 28 to 31. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
