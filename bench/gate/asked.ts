import { sample } from '@tallygate/gate-sdk';

/** Each request is another customer's, so that no cache is flattered. */
export const CUSTOMERS = 10_000;

export const credentialOf = (n: number): string => `key-of-customer-${n}`;

export const customerIdOf = (n: number): string => `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** One request, as a gateway sends it, ready for the wire. */
export function requestOf(n: number): Buffer {
  const lines = [
    'GET /authorize HTTP/1.1',
    'Host: gate',
    `Authorization: Bearer ${credentialOf(n)}`,
    `X-Tallygate-Tenant: ${sample.TENANT}`,
    'X-Tallygate-Feature: completions',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}
