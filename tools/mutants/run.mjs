/**
 * Breaks the built product on purpose and expects the chaos run to notice: `npm run mutants -- [--minutes N] [--seed S]
 * [NAME…]`. Each mutant is a copy of dist/ with one rule removed. Ends with 0 when every mutant was found out, with 1 when
 * one was not. Takes about N minutes (3 when nothing is said) a mutant.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const SERVICE = 'libs/ledger/src/service/usage-slice.service.js';
const SQL = 'libs/ledger/src/postgres/sql/usage.js';

/** What is marked and not stored is taken for a repeat: lost, when the write after the mark did not happen. */
const MARK_FIRST = `
        const worker = (work) => this.usage.database.asWorker(work);
        for (const part of identified) {
            const identities = part.identified.map((one) => one.identity);
            const marks = await worker((tx) => tx.query(
              "insert into idempotency (tenant_id, key, route, body_hash, created_at) select t, 'mark ' || k, 'mutant', '', to_timestamp(0) from unnest($1::uuid[], $2::text[]) as m (t, k) on conflict do nothing returning substr(key, 6) as key",
              [part.identified.map((one) => one.event.tenantId), identities]));
            const { rows } = await worker((tx) => tx.query('select identity from usage_event where identity = any ($1::uuid[])', [identities]));
            const fresh = new Set(marks.rows.map((row) => row.key));
            const stored = new Set(rows.map((row) => row.identity));
            part.identified = part.identified.filter((one) => fresh.has(one.identity) || stored.has(one.identity));
        }
        `;

const MUTANTS = {
  'dedup-mark-first': {
    says: 'an event is marked as taken in a transaction of its own, before it is written',
    patches: [[SERVICE, /const tenants = new Set\(parts\.flatMap/, `${MARK_FIRST}$&`]],
  },
  'epoch-check-removed': {
    says: 'whoever has a slice in hand writes it, whatever became of its partition',
    patches: [
      [
        SERVICE,
        /async refuse\(tx, parts\) \{/,
        'async refuse(tx, parts) { await this.usage.claim(tx, positionsOf(parts)); return parts.map(() => null); }\n    async refuseAsBefore(tx, parts) {',
      ],
      [SQL, /and o\.epoch = u\.epoch\s+and o\.next_offset < u\.next/, 'and u.epoch is not null'],
    ],
  },
};

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string', default: '11' } },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(MUTANTS);
const strangers = names.filter((name) => MUTANTS[name] === undefined);
if (strangers.length > 0) {
  console.error(`No mutant is called ${strangers.join(', ')}; there are ${Object.keys(MUTANTS).join(', ')}`);
  process.exit(2);
}

function copyOf(name) {
  const copy = resolve('.cache/mutants', name);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync('dist', copy, { recursive: true });
  for (const [file, what, instead] of MUTANTS[name].patches) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    if (!what.test(text))
      throw new Error(`${name}: ${what} is not in ${file} any more; the mutant needs care`);
    writeFileSync(path, text.replace(what, instead));
  }
  return copy;
}

function isFound(name) {
  const copy = copyOf(name);
  console.log(`\n${name}: ${MUTANTS[name].says}`);
  const words = ['chaos', '--minutes', values.minutes, '--seed', values.seed];
  const main = join(copy, 'apps/cli/src/main.js');
  const { status, stdout } = spawnSync(process.execPath, ['--enable-source-maps', main, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  console.log(stdout);
  rmSync(copy, { recursive: true, force: true });
  return status === 1 && /VIOLATIONS/.test(stdout);
}

const survivors = names.filter((name) => !isFound(name));
console.log(
  survivors.length === 0 ? `${names.length} mutants, all found out` : `NOT FOUND: ${survivors.join(', ')}`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;
