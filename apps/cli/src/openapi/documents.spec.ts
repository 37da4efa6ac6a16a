import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentedRoutes, undocumented } from '@tallygate/platform';
import { ALL_CONTROLLERS, documents, documentText, SERVICES } from './documents';

const DIR = join(__dirname, '../../../../docs/openapi');
const HOW = 'Run `npm run openapi` and look at what changed.';

test('every route of every service has a contract: see CONTRIBUTING.md, "A new route"', () => {
  expect(undocumented(ALL_CONTROLLERS)).toEqual([]);
});

test.each(Object.entries(documents()))('docs/openapi/%s.json says what the code does', (name, document) => {
  const file = join(DIR, `${name}.json`);
  expect(existsSync(file) ? '' : HOW).toBe('');
  expect(readFileSync(file, 'utf8') === documentText(document) ? '' : HOW).toBe('');
});

test('nothing else lies there', () => {
  const files = Object.keys(documents()).map((name) => `${name}.json`);
  expect(readdirSync(DIR).sort()).toEqual(['README.md', ...files].sort());
});

const routes = documentedRoutes(ALL_CONTROLLERS);

test.each(routes.map((route) => [route.contract.id, route] as const))(
  'the examples of %s are what it takes and answers',
  (_, { contract, body }) => {
    const schema = contract.body?.schema ?? body;
    expect(schema === null || contract.body !== undefined ? '' : 'needs an example of its body').toBe('');
    if (schema !== null) expect(schema.safeParse(contract.body?.example).error).toBeUndefined();
    expect(contract.answer.safeParse(contract.example).error).toBeUndefined();
  },
);

test('what is under /internal, and nothing else, is for the services of the installation only', () => {
  const wrong = routes.filter(
    ({ path, credential }) => path.startsWith('/internal/') !== (credential.kind === 'internal'),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test('every operation of a service has a tag, and no service answers another’s path', () => {
  expect(routes.filter(({ tag }) => tag === undefined).map(({ path }) => path)).toEqual([]);
  const seen = Object.values(SERVICES).flatMap((controllers) =>
    documentedRoutes(controllers).map(({ method, path }) => `${method} ${path}`),
  );
  expect(new Set(seen).size).toBe(seen.length);
});
