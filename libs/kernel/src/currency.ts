import { divideHalfEven } from './amount';
import type { Nano } from './amount';

const CREDIT_UNIT_DIGITS = 9;

const CODES_BY_DIGITS: ReadonlyArray<readonly [digits: number, codes: string]> = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
  [
    2,
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF ' +
      'CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD ' +
      'HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT ' +
      'MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR ' +
      'SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU ' +
      'UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  ],
];

const DIGITS = new Map(
  CODES_BY_DIGITS.flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, digits] as const)),
);

const MINOR_UNITS: readonly bigint[] = Array.from({ length: 10 }, (_, digits) => 10n ** BigInt(9 - digits));

/**
 * Digits of the smallest payable unit: the ISO 4217 exponent, for example 2 for EUR and 0 for JPY.
 * Anything that is not an ISO currency is a credit unit and has no coin: 9.
 */
export function minorDigits(currency: string): number {
  return DIGITS.get(currency) ?? CREDIT_UNIT_DIGITS;
}

/** Half-even to the minor unit; `rounded + remainder` is exactly `amount`, so the remainder can be carried. */
export function roundToMinor(amount: Nano, currency: string): { rounded: Nano; remainder: Nano } {
  const unit = MINOR_UNITS[minorDigits(currency)] ?? 1n;
  const rounded = divideHalfEven(amount, unit) * unit;
  return { rounded, remainder: amount - rounded };
}
