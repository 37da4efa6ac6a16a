import { ESLint } from 'eslint';
import type { Linter } from 'eslint';
import { join } from 'node:path';
// The configuration is CommonJS without types.
const config = jest.requireActual<Linter.Config[]>('../../eslint.config');

const root = join(__dirname, '../..');
const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: config });

/** The rules that a file at `path` would break with this text; the file itself need not exist. */
async function broken(path: string, text: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, path) });
  return (result?.messages ?? [])
    .filter((message) => message.severity === 2)
    .map((message) => message.ruleId ?? message.message);
}

describe('import boundaries', () => {
  it.each([
    // where the import stands, what it imports, which rule refuses it
    [
      'libs/ledger/src/domain/index.ts',
      "import { readFileSync } from 'node:fs'; export const a = readFileSync;",
      'no-restricted-imports',
    ],
    [
      'libs/ledger/src/domain/index.ts',
      "import { Injectable } from '@nestjs/common'; export const a = Injectable;",
      'no-restricted-imports',
    ],
    [
      'libs/ledger/src/domain/index.ts',
      "import { Pool } from 'pg'; export const a = Pool;",
      'no-restricted-imports',
    ],
    ['libs/ledger/src/domain/index.ts', 'export const a = Date.now();', 'no-restricted-globals'],
    ['libs/ledger/src/domain/index.ts', 'export const a = Math.random();', 'no-restricted-properties'],
    [
      'libs/ledger/src/index.ts',
      "import { a } from '@tallygate/dunning'; export const b = a;",
      '@nx/enforce-module-boundaries',
    ],
    [
      'libs/kernel/src/index.ts',
      "import { a } from '@tallygate/platform'; export const b = a;",
      '@nx/enforce-module-boundaries',
    ],
    [
      'libs/platform/src/index.ts',
      "import { a } from '@tallygate/ledger'; export const b = a;",
      '@nx/enforce-module-boundaries',
    ],
    ['libs/ledger/src/index.ts', 'export const a = process.env;', 'no-restricted-properties'],
  ])('%s refuses %s', async (path, text, rule) => {
    expect(await broken(path, text)).toContain(rule);
  });

  it('lets a scope use kernel and contracts', async () => {
    const text = "import { ok } from '@tallygate/kernel';\nexport const a = ok(1);\n";
    expect(await broken('libs/ledger/src/domain/index.ts', text)).toEqual([]);
  });
});
