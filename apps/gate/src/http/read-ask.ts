import type { IncomingHttpHeaders } from 'node:http';
import type { GateClient, GateRequest } from '@tallygate/gate-sdk';
import { NANO, parseAmount, parseQuantity } from '@tallygate/kernel';
import type { DecimalFault, Nano, Result } from '@tallygate/kernel';
import { pathOf } from './route';
import type { Routes } from './route';

/** What a request says by headers and, over gRPC, by the route's context; names in lower case. */
export type Fields = IncomingHttpHeaders | Readonly<Record<string, string | undefined>>;

export interface Fault {
  readonly field: string;
  readonly value: string;
  readonly problem: string;
  readonly fix: string;
}

export type AskRead =
  | { readonly kind: 'ask'; readonly request: GateRequest; readonly preflight: boolean }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

export interface AskOptions {
  /** The only tenant of this gate; then nobody chooses another. */
  readonly tenantId?: string;
  readonly routes: Routes;
}

const MOST_FEATURES = 100;
const MOST_LISTS = 1_000;

/**
 * Reads a question from what a gateway sent. The gateway decides what it lets through: `X-Tallygate-*` sent by a client
 * must have been taken away before.
 */
export class AskReader {
  private readonly lists = new Map<string, readonly string[]>();

  constructor(
    private readonly client: GateClient,
    private readonly options: AskOptions,
  ) {}

  /** @param path the original request's, where its sender is known to the gateway */
  read(fields: Fields, path: string | undefined): AskRead {
    const faults: Fault[] = [];
    const request: GateRequest = {
      tenantId: this.options.tenantId ?? text(fields['x-tallygate-tenant']) ?? null,
      identity: this.identityOf(fields),
      features: this.featuresOf(fields, path, faults),
      units: this.unitsOf(fields, path, faults),
      maxPrice: maxPriceOf(fields, faults),
      groups: groupsOf(text(fields['x-tallygate-groups'])),
      open: text(fields['x-tallygate-open']),
      path: path === undefined ? undefined : pathOf(path),
    };
    if (faults.length > 0) return { kind: 'faults', faults };
    return { kind: 'ask', request, preflight: text(fields['x-tallygate-preflight']) === 'true' };
  }

  /** A subject named by the gateway, then `Authorization: Bearer`, then `X-Api-Key`. */
  private identityOf(fields: Fields): GateRequest['identity'] {
    const subject = text(fields['x-tallygate-subject']);
    if (subject !== undefined) return { kind: 'subject', subject };
    const authorization = text(fields['authorization']);
    const bearer = authorization === undefined ? null : this.client.identityOfAuthorization(authorization);
    return bearer ?? this.client.identityOf({ credential: text(fields['x-api-key']) });
  }

  private featuresOf(fields: Fields, path: string | undefined, faults: Fault[]): readonly string[] {
    const named = text(fields['x-tallygate-feature']);
    if (named === undefined) {
      return path === undefined ? NONE : (this.options.routes.of(pathOf(path))?.feature ?? NONE);
    }
    const known = this.lists.get(named);
    if (known !== undefined) return known;
    const list = [...new Set(named.split(',').map((each) => each.trim()))].filter((each) => each !== '');
    if (list.length > MOST_FEATURES) {
      const fix = `name at most ${MOST_FEATURES} features`;
      faults.push({
        field: 'X-Tallygate-Feature',
        value: named.slice(0, 100),
        problem: 'names too many',
        fix,
      });
    }
    if (this.lists.size < MOST_LISTS) this.lists.set(named, list);
    return list;
  }

  private unitsOf(fields: Fields, path: string | undefined, faults: Fault[]): Nano {
    const named = text(fields['x-tallygate-units']) ?? this.routeUnits(fields, path);
    if (named === undefined) return NANO;
    return amountOr(NANO, 'X-Tallygate-Units', parseQuantity(named), faults);
  }

  private routeUnits(fields: Fields, path: string | undefined): string | undefined {
    const header = path === undefined ? undefined : this.options.routes.of(pathOf(path))?.units_header;
    return header === undefined ? undefined : text(fields[header]);
  }
}

const NONE: readonly string[] = [];

function maxPriceOf(fields: Fields, faults: Fault[]): Nano | null {
  const named = text(fields['x-tallygate-max-price']);
  if (named === undefined) return null;
  return amountOr(null, 'X-Tallygate-Max-Price', parseAmount(named), faults);
}

function amountOr<T>(
  otherwise: T,
  field: string,
  parsed: Result<Nano, DecimalFault>,
  faults: Fault[],
): Nano | T {
  if (parsed.ok) return parsed.value;
  const { code, value, fix } = parsed.error;
  faults.push({ field, value, problem: code, fix });
  return otherwise;
}

/** `model=m1, region=eu` */
function groupsOf(named: string | undefined): Readonly<Record<string, string>> | undefined {
  if (named === undefined) return undefined;
  const pairs = named.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  return Object.fromEntries(pairs.flatMap(([group, value]) => (group && value ? [[group, value]] : [])));
}

/** Empty counts as absent: gateways send empty headers for what is not set. */
function text(field: string | readonly string[] | undefined): string | undefined {
  const value = typeof field === 'object' ? field[0] : field;
  return value === '' ? undefined : value;
}
