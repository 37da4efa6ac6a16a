import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { WireEntry, WireEntryRef } from '@tallygate/contracts';
import { entryFromWire, removalFromWire } from '@tallygate/decision';
import type { FeedEntry } from '@tallygate/decision';
import { MICROS, formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { linesOf } from '../domain/lines';
import type { GateLog } from '../service/gate-log';
import { StateCopy } from '../service/state-copy';
import type { LoadedCopy } from '../service/state-copy';

type Line =
  | { readonly put: WireEntry }
  | { readonly remove: WireEntryRef }
  | { readonly commit: { readonly token: string; readonly digest: string } };

/** Rewritten when it has grown to several times of what it holds. */
const COMPACT_BEYOND = 4;
const PROVEN_EVERY_MICROS = MICROS.second;
const COMPACT_FROM_BYTES = 4 * 1024 * 1024;

/**
 * The state on disk: a log of entries with a mark after each complete change, so that a torn end is left out. Entries
 * carry versions, so the order of lines does not matter. A small file beside it says when the feed was last up.
 */
export class FileStateCopy extends StateCopy {
  private work: Promise<void> = Promise.resolve();
  private file: FileHandle | null = null;
  private lines: string[] = [];
  private inSnapshot = false;
  private broken = false;
  private written = 0;
  private compactAt = COMPACT_FROM_BYTES;
  private provenAt: Instant | null = null;

  constructor(
    private readonly path: string,
    private readonly log: GateLog,
  ) {
    super();
  }

  override async load(): Promise<LoadedCopy | null> {
    const copy = await readCopy(this.path).catch(() => null);
    const provenAt = await readFile(`${this.path}.proven`, 'utf8').then(parseInstant, () => null);
    if (copy === null || provenAt === null || !provenAt.ok) return null;
    // Goes on where the log was complete; what came after it, torn, is cut off by writing it anew.
    this.enqueue(() => this.rewrite());
    return { ...copy, provenAt: provenAt.value };
  }

  override snapshotBegin(): void {
    this.inSnapshot = true;
    this.lines = [];
    this.enqueue(async () => {
      this.broken = false;
      await this.file?.close();
      this.file = await open(`${this.path}.new`, 'w', 0o600);
      this.written = 0;
    }, 'anew');
  }

  override append(upserts: readonly WireEntry[], removes: readonly WireEntryRef[]): void {
    for (const put of upserts) this.lines.push(JSON.stringify({ put }));
    for (const remove of removes) this.lines.push(JSON.stringify({ remove }));
    if (this.inSnapshot) this.flush();
  }

  override abandonSnapshot(): void {
    this.inSnapshot = false;
    this.lines = [];
    this.enqueue(() => this.rewrite());
  }

  override commit(token: string, digest: string): void {
    this.lines.push(JSON.stringify({ commit: { token, digest } }));
    this.flush();
    if (this.inSnapshot) {
      this.inSnapshot = false;
      this.enqueue(async () => {
        await rename(`${this.path}.new`, this.path);
        this.compactAt = Math.max(COMPACT_FROM_BYTES, this.written * COMPACT_BEYOND);
      });
    } else {
      this.enqueue(() => this.compactWhenLong());
    }
  }

  override proven(at: Instant): void {
    if (this.inSnapshot || (this.provenAt !== null && at - this.provenAt < PROVEN_EVERY_MICROS)) return;
    this.provenAt = at;
    this.enqueue(async () => {
      if (this.file === null) return;
      await writeFile(`${this.path}.proven.new`, formatInstant(at), { mode: 0o600 });
      await rename(`${this.path}.proven.new`, `${this.path}.proven`);
    });
  }

  override async close(): Promise<void> {
    await this.work;
    await this.file?.close();
    this.file = null;
  }

  private flush(): void {
    if (this.lines.length === 0) return;
    const text = `${this.lines.join('\n')}\n`;
    this.lines = [];
    this.enqueue(async () => {
      await this.file?.write(text);
      this.written += text.length;
    });
  }

  private async compactWhenLong(): Promise<void> {
    if (this.written < this.compactAt) return;
    await this.rewrite();
    this.compactAt = Math.max(COMPACT_FROM_BYTES, this.written * COMPACT_BEYOND);
  }

  /** The last line of each key, in a new file that takes the old one's place. */
  private async rewrite(): Promise<void> {
    await this.file?.close();
    this.file = null;
    const { lines, commit } = await readLines(this.path);
    const kept = [...lines.values()].map(({ text }) => text);
    const text = `${[...kept, JSON.stringify({ commit })].join('\n')}\n`;
    const next = await open(`${this.path}.new`, 'w', 0o600);
    await next.write(text);
    await rename(`${this.path}.new`, this.path);
    this.file = next;
    this.written = text.length;
  }

  /** One after another. A copy that cannot be written is given up, and removed, until the next snapshot. */
  private enqueue(step: () => Promise<void>, where: 'on' | 'anew' = 'on'): void {
    this.work = this.work.then(async () => {
      if (!this.broken || where === 'anew') await step();
    });
    this.work = this.work.catch(async (error: unknown) => {
      this.broken = true;
      this.log.warn({ err: error, path: this.path }, 'the copy on disk cannot be written');
      await this.file?.close().catch(() => undefined);
      this.file = null;
      await rm(`${this.path}.proven`, { force: true }).catch(() => undefined);
    });
  }
}

async function readCopy(path: string): Promise<Omit<LoadedCopy, 'provenAt'> | null> {
  const { lines, commit } = await readLines(path);
  if (commit === null) return null;
  const entries: FeedEntry[] = [];
  for (const { text } of lines.values()) {
    const line = JSON.parse(text) as Line;
    if ('put' in line) entries.push(entryFromWire(line.put));
    else if ('remove' in line) entries.push(removalFromWire(line.remove));
  }
  return { entries, token: commit.token, digest: commit.digest };
}

interface Commit {
  readonly token: string;
  readonly digest: string;
}

interface Kept {
  readonly text: string;
  readonly version: number;
}

interface KeptLines {
  /** By tenant, kind and key: the line with the highest version. */
  readonly lines: ReadonlyMap<string, Kept>;
  readonly commit: Commit | null;
}

/** Up to the last complete change. */
async function readLines(path: string): Promise<KeptLines> {
  const lines = new Map<string, Kept>();
  let pending: [string, Kept][] = [];
  let commit: Commit | null = null;
  for await (const text of linesOf(createReadStream(path))) {
    const line = parseLine(text);
    if (line === null) break;
    if ('commit' in line) {
      for (const [key, kept] of pending) {
        if (kept.version > (lines.get(key)?.version ?? 0)) lines.set(key, kept);
      }
      pending = [];
      commit = line.commit;
    } else {
      const { tenantId, kind, key, version } = 'put' in line ? line.put : line.remove;
      pending.push([`${tenantId} ${kind} ${key}`, { text, version }]);
    }
  }
  return { lines, commit };
}

function parseLine(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
