import { isAccessLine, ownerOf } from '@tallygate/contracts';
import type { AccessLine } from '@tallygate/contracts';
import type { UsageEvent } from '@tallygate/gate-sdk';
import { isUuid } from '@tallygate/kernel';

/** What a line of the log is. What a line's event is worth, ingestion says. */
export type ReadLine =
  | { readonly kind: 'usage'; readonly tenantId: string; readonly event: UsageEvent }
  /** Nobody is billed for the request. */
  | { readonly kind: 'unbilled' }
  | { readonly kind: 'rejected'; readonly problem: string };

/** @param onlyTenant the only tenant of this gate: then no line is another's */
export function readLine(text: string, onlyTenant: string | null): ReadLine {
  const line = parsed(text);
  if (line === null) return rejected('is not a line of the format that infra/gateways writes');
  const { tenant, subject } = ownerOf(line);
  if (subject === '') return { kind: 'unbilled' };
  if (!isName(line['id']) || !isName(line['source'])) return rejected('names no id and source');
  const tenantId = tenant ?? onlyTenant;
  if (!isUuid(tenantId)) return rejected('names no tenant');
  if (onlyTenant !== null && tenantId !== onlyTenant) return rejected('is of another tenant');
  return { kind: 'usage', tenantId, event: line as unknown as UsageEvent };
}

function parsed(text: string): AccessLine | null {
  try {
    const json = JSON.parse(text) as unknown;
    return isAccessLine(json) ? json : null;
  } catch {
    return null;
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function rejected(problem: string): ReadLine {
  return { kind: 'rejected', problem };
}
