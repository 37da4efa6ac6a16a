import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type ChainFault,
  type JournalProof,
  type JournalProofOfTenant,
  journalProofOver,
} from '@tallygate/ledger';
import { type Environment, processEnvironment } from '@tallygate/platform';
import { onLedgerDatabase } from './ledger-database';
import type { Output } from './output';

const OPTIONS = {
  tenant: { type: 'string' },
  anchor: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const USAGE =
  'usage: verify [--tenant ID] [--anchor FILE] [--json], with DATABASE_URL and DATABASE_ROLE_SECRET set';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Tenant → the last seal when everything was right. */
type Anchor = Readonly<Record<string, { readonly seal: string; readonly hash: string }>>;

interface Line {
  readonly tenant: string;
  readonly valid: boolean;
  readonly rows: number;
  readonly unsealed: number;
  readonly seal: string | null;
  readonly hash: string | null;
  /** What is wrong first; null when all is right. */
  readonly problem: string | null;
}

/**
 * `verify [--tenant ID] [--anchor FILE] [--json]`: recomputes the journal's seals, sums and balances from its rows, and
 * names the first row that is not as it was written. With `--anchor` it also remembers each chain's end in a file kept
 * elsewhere, and notices when a chain was made anew. 0: all is right; 1: something is not; 2: it could not be checked.
 */
export async function verifyCommand(
  words: readonly string[],
  output: Output,
  environment: Environment = processEnvironment(),
): Promise<number> {
  const options = optionsOf(words);
  if (options === null) {
    output.error(USAGE);
    return 2;
  }
  return onLedgerDatabase(environment, output, (database) =>
    verifyAll(journalProofOver(database), options, output),
  );
}

interface Options {
  readonly tenant: string | undefined;
  readonly anchor: string | undefined;
  readonly json: boolean;
}

function optionsOf(words: readonly string[]): Options | null {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    if (values.tenant !== undefined && !UUID.test(values.tenant)) return null;
    return { tenant: values.tenant, anchor: values.anchor, json: values.json ?? false };
  } catch {
    return null;
  }
}

async function verifyAll(proof: JournalProof, options: Options, output: Output): Promise<number> {
  const anchor = options.anchor === undefined ? {} : await readAnchor(options.anchor);
  const found = await proof.tenants();
  const tenants =
    options.tenant === undefined ? [...new Set([...found, ...Object.keys(anchor)])] : [options.tenant];
  const lines: Line[] = [];
  for (const tenant of tenants) {
    const line = await lineOf(proof, tenant, anchor[tenant]);
    output.line(options.json ? JSON.stringify(line) : textLine(line));
    lines.push(line);
  }
  const valid = lines.every((line) => line.valid);
  if (valid && options.anchor !== undefined) await writeAnchor(options.anchor, anchor, lines);
  if (!options.json) output.line(valid ? `${lines.length} tenants: valid` : 'BROKEN');
  return valid ? 0 : 1;
}

async function lineOf(proof: JournalProof, tenant: string, known: Anchor[string] | undefined): Promise<Line> {
  const judged = await proof.of(tenant);
  const problem = problemOf(judged) ?? (await remade(proof, tenant, known));
  const { head, sealedRows, openRows } = judged.chain;
  return {
    tenant,
    valid: problem === null,
    rows: Number(sealedRows),
    unsealed: Number(openRows),
    seal: head === null ? null : String(head.seq),
    hash: head?.hash ?? null,
    problem,
  };
}

function problemOf({ balanced, whole, chain }: JournalProofOfTenant): string | null {
  if (chain.fault !== null) return faultText(chain.fault);
  if (!whole) return 'versions of a wallet have a gap';
  return balanced ? null : 'a balance is not the fold of the journal';
}

function faultText({ wallet, version, seal, differs }: ChainFault): string {
  if (wallet === null) return `seal ${seal}: ${differs}`;
  return `wallet ${wallet.id} (customer ${wallet.customer ?? 'unknown'}, ${wallet.unit ?? 'unit unknown'}), version ${version}: ${differs}`;
}

/** Who may do anything can write a whole chain anew, but not what somebody else remembers of the old one. */
async function remade(
  proof: JournalProof,
  tenant: string,
  known: Anchor[string] | undefined,
): Promise<string | null> {
  if (known === undefined) return null;
  const now = await proof.seal(tenant, BigInt(known.seal));
  if (now?.hash === known.hash) return null;
  return `seal ${known.seal}: ${now === null ? 'it is gone' : 'it is another one'}, the anchor knows it as ${known.hash}`;
}

async function readAnchor(file: string): Promise<Anchor> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Anchor;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function writeAnchor(file: string, before: Anchor, lines: readonly Line[]): Promise<void> {
  const ends = lines.flatMap(({ tenant, seal, hash }) =>
    seal === null || hash === null ? [] : [[tenant, { seal, hash }] as const],
  );
  await writeFile(file, `${JSON.stringify({ ...before, ...Object.fromEntries(ends) }, null, 2)}\n`);
}

function textLine({ tenant, rows, unsealed, seal, hash, problem }: Line): string {
  if (problem !== null) return `tenant ${tenant}: BROKEN: ${problem}`;
  const end = seal === null ? 'nothing sealed yet' : `seal ${seal}, ${hash}`;
  return `tenant ${tenant}: valid, ${rows} rows sealed, ${unsealed} not yet; ${end}`;
}
