import type { JsonSchema } from './json-schema';
import type { Credential } from './routes';
import { INTERNAL_HEADER } from '../auth/internal-guard';

export const SECURITY_SCHEMES = {
  api_key: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'tg_test_… or tg_live_…',
    description:
      'A provider’s API key. Scopes: `admin` has every scope, `write` includes `read` and `usage:write`; `gate` is for gateways.',
  },
  api_key_header: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'The same key' },
  root_key: { type: 'http', scheme: 'bearer', description: 'The installation’s root key' },
  gate_credential: {
    type: 'http',
    scheme: 'bearer',
    description: 'The installation’s gate credential, which sees every tenant',
  },
  internal_secret: {
    type: 'apiKey',
    in: 'header',
    name: INTERNAL_HEADER,
    description: 'The services’ own secret',
  },
} satisfies JsonSchema;

type Requirement = Readonly<Record<string, readonly string[]>>;

/** Any of these; none for a route that needs no key. */
export function securityOf(credential: Credential): readonly Requirement[] {
  switch (credential.kind) {
    case 'none':
      return [];
    case 'root':
      return [{ root_key: [] }];
    case 'internal':
      return [{ internal_secret: [] }];
    case 'key':
      return keyed(credential.scopes);
    case 'gate':
      return [...keyed(credential.scopes), { gate_credential: [] }];
  }
}

const keyed = (scopes: readonly string[]): readonly Requirement[] =>
  scopes.flatMap((scope): Requirement[] => [{ api_key: [scope] }, { api_key_header: [scope] }]);
