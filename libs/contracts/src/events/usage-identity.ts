import { hash } from 'node:crypto';

const HEX_OF_128_BITS = 32;

/**
 * The name under which a usage event is stored and asked for: tenant, source and id are one event's
 * (CloudEvents 1.0: source and id together are unique). The source's length keeps ("a", "bc") and ("ab", "c") apart.
 * @returns 128 bits of SHA-256, hex
 */
export function usageIdentity(tenantId: string, source: string, id: string): string {
  return hash('sha256', `${tenantId}${source.length}:${source}${id}`, 'hex').slice(0, HEX_OF_128_BITS);
}
