import type { IncomingMessage } from 'node:http';
import type { Usage, Verdict } from '@tallygate/gate-sdk';
import { formatAmount } from '@tallygate/kernel';
import { pathOf } from '../http/route';
import type { UsageTemplate } from '../http/route';

export interface Served {
  readonly request: IncomingMessage;
  /** The upstream's answer; null where somebody else serves the request. */
  readonly incoming: IncomingMessage | null;
  readonly verdict: Verdict;
  readonly template: UsageTemplate | undefined;
}

/** What a route without a template reports. */
const DEFAULT: UsageTemplate = {
  type: 'gate.request',
  data: { feature: '$feature', units: '$units', method: '$method', path: '$path', status: '$status' },
};

/** Usage of a request, by its route's template. Its id is the request's own where the caller sent one. */
export function usageOf(served: Served): Usage {
  const { type, data } = served.template ?? DEFAULT;
  const entries = Object.entries(data).flatMap(([key, value]) => {
    const found = typeof value === 'string' && value.startsWith('$') ? lookUp(value.slice(1), served) : value;
    return found === undefined ? [] : [[key, found] as const];
  });
  return { type, data: Object.fromEntries(entries) };
}

function lookUp(name: string, { request, incoming, verdict }: Served): string | number | undefined {
  const [, side, header] = /^(request|response)\.(.+)$/.exec(name) ?? [];
  if (header !== undefined) return headerOf(side === 'request' ? request : incoming, header);
  switch (name) {
    case 'status':
      return incoming?.statusCode;
    case 'method':
      return request.method;
    case 'path':
      return pathOf(request.url ?? '/');
    case 'units':
      return formatAmount(verdict.request.units);
    case 'feature':
      return verdict.request.features[0];
    default:
      return undefined;
  }
}

function headerOf(message: IncomingMessage | null, name: string): string | undefined {
  const value = message?.headers[name.toLowerCase()];
  return typeof value === 'object' ? value[0] : value;
}
