import type { z } from 'zod';
import { BODY_LIMIT } from '../http/body-parser';
import { reusedKey, idempotencyFault } from '../http/idempotency';
import { invalid, problem } from '../http/problem';
import type { ProblemException } from '../http/problem';
import { knownRefusal } from '../http/problem-filter';
import { storageFull, storageUnavailable } from '../http/storage-problem';
import { zodFaults } from '../http/zod-faults';
import { missingCredential, missingScope, rootKeyRequired, unknownCredential } from '../auth/api-key-guard';
import { keysUnavailable } from '../auth/http-key-directory';
import { internalOnly } from '../auth/internal-guard';
import type { Scope } from '../auth/principal';
import type { Credential, Route } from './routes';

const EXAMPLE_ID = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b90';

/** What every route of its kind may answer, made by the very functions that answer it. */
export function commonRefusals(route: Route, takesBody: boolean): readonly ProblemException[] {
  return [
    ...ofCredential(route.credential),
    ...(Object.keys(route.params).length > 0 || route.query !== null ? [unreadable()] : []),
    ...(takesBody ? ofBody() : []),
    ...ofContent(route),
    storageFull(),
    storageUnavailable(),
    problem(500, 'internal_error', 'Something went wrong here', {
      detail: `Name this id when you report it: ${EXAMPLE_ID}`,
      id: EXAMPLE_ID,
    }),
  ];
}

function ofCredential(credential: Credential): readonly ProblemException[] {
  switch (credential.kind) {
    case 'none':
      return [];
    case 'internal':
      return [internalOnly()];
    case 'root':
      return [missingCredential(), rootKeyRequired()];
    case 'key':
    case 'gate':
      return [
        missingCredential(),
        unknownCredential(),
        missingScope(['usage:write'], (credential.scopes[0] ?? 'read') as Scope),
        keysUnavailable('Billing does not answer.'),
      ];
  }
}

const unreadable = () => known(400, "'/v1/customers/%zz' is not a valid url component");
const known = (status: number, detail: string) => {
  const { status: _, code, title, ...rest } = knownRefusal(status, detail);
  return problem(status, code, title, rest);
};

function ofBody(): readonly ProblemException[] {
  return [
    problem(400, 'not_json', 'The body is not JSON', { detail: 'Unexpected end of JSON input' }),
    problem(400, 'not_utf8', 'The body is not UTF-8', { detail: 'Send JSON encoded as UTF-8.' }),
    known(413, `more than ${BODY_LIMIT} bytes`),
    known(415, ''),
  ];
}

function ofContent({ body, query, contract, params, idempotent }: Route): readonly ProblemException[] {
  const schema = contract?.body?.schema === undefined ? (body ?? query) : null;
  const checked = Object.values(params).some((param) => param !== null);
  return [
    ...(schema === null && !checked ? [] : [invalid(faultsOf(schema, contract?.body?.example))]),
    ...(idempotent
      ? [invalid([idempotencyFault(undefined)]), reusedKey('POST /v1/customers/acme/debits')]
      : []),
  ];
}

/** The faults of a request that is wrong: the schema's own words. */
function faultsOf(schema: z.ZodType | null, example: unknown) {
  for (const wrong of [{ ...(example as object), misspelt: true }, {}, null]) {
    const parsed = schema?.safeParse(wrong);
    if (parsed?.success === false) return zodFaults(parsed.error, wrong);
  }
  return [{ field: 'body', value: null, problem: 'cannot be used', fix: 'see the schema' }];
}
