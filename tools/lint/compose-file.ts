import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(__dirname, '../..');

export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string; readonly args: { readonly APP: string } };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly [other: string]: unknown;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export type Settings = Readonly<Record<string, string>>;

const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** As written, before any setting is put in. */
export function composeText(): string {
  return text('docker-compose.yml');
}

/** As Docker Compose reads it with these settings: YAML first, then the settings in each text. */
export function readCompose(settings: Settings): ComposeFile {
  const written: unknown = parse(composeText(), { merge: true });
  return JSON.parse(JSON.stringify(written), (_, value: unknown) =>
    typeof value === 'string' ? interpolate(value, settings) : value,
  ) as ComposeFile;
}

/**
 * `${NAME:?complaint}` must be set, `${NAME:-fallback}` may be; an empty setting counts as none. `$$` is a dollar sign.
 * Other forms are refused.
 */
export function interpolate(source: string, settings: Settings): string {
  return source.replace(/\$(?:\$|\{([^}]*)\}|)/g, (whole, inside: string | undefined) => {
    if (whole === '$$') return '$';
    const [, name = '', rule, rest] = /^([A-Z_]+):([?-])(.*)$/.exec(inside ?? '') ?? [];
    if (rule === undefined)
      throw new Error(`${whole} says neither what to do without it nor what else to use`);
    const value = settings[name] ?? '';
    if (value !== '') return value;
    if (rule === '?') throw new Error(`${name} is not set: ${rest}`);
    return rest ?? '';
  });
}

/** Names that the compose file takes from `.env`. */
export function settingNames(): string[] {
  return [...new Set([...composeText().matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? ''))].sort();
}

/** `.env.example`; a setting that is commented out is one that may be left out. */
export function exampleSettings(): { readonly given: Settings; readonly left: Settings } {
  const lines = [...text('.env.example').matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)];
  const settings = (commented: boolean): Settings =>
    Object.fromEntries(
      lines
        .filter(([, mark]) => (mark !== undefined) === commented)
        .map(([, , name, value]) => [name, value]),
    );
  return { given: settings(false), left: settings(true) };
}
