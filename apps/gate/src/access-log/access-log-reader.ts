import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { UsageEvent, UsageSink } from '@tallygate/gate-sdk';
import type { Log } from '@tallygate/platform';
import { HEAD_BYTES, match } from './followed-file';
import type { FollowedFile, Matched } from './followed-file';
import { linesIn } from './line-chunk';
import type { PlacedLine } from './line-chunk';
import { LogFolder } from './log-folder';
import type { FoundFile } from './log-folder';
import { readLine } from './log-line';
import { ReadPositions } from './read-positions';
import { RejectedLines } from './rejected-lines';
import type { RejectedLine } from './rejected-lines';

export interface AccessLogOptions {
  /** The log; what rotation makes of it is looked for beside it. */
  readonly path: string;
  /** Folder for the position and for rejected lines, not the log's own. */
  readonly stateDir: string;
  readonly sink: UsageSink;
  /** The only tenant of this gate. */
  readonly tenantId?: string;
  readonly log: Log;
}

export interface AccessLogCounts {
  /** Lines that the sink took. */
  readonly reported: number;
  /** Lines kept as rejected: not of the format, or refused by ingestion. */
  readonly rejected: number;
  /** Lines of requests that nobody is billed for. */
  readonly unbilled: number;
  /** Times that the log was gone before anybody could say it had been read to its end. */
  readonly gaps: number;
  /** What is there and was not read yet. */
  readonly behindBytes: number;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Usage from a gateway's access log. The position moves only when the sink has taken the lines before it, so the log
 * itself keeps what was not delivered; whoever dies in between sends lines twice, and their ids make that harmless.
 */
export class AccessLogReader {
  private readonly folder: LogFolder;
  private readonly positions: ReadPositions;
  private readonly rejects: RejectedLines;
  private followed: readonly FollowedFile[] | null = null;
  private before: readonly FoundFile[] = [];
  private readonly sum = { reported: 0, rejected: 0, unbilled: 0, gaps: 0, behindBytes: 0 };

  constructor(private readonly options: AccessLogOptions) {
    const name = createHash('sha256').update(options.path).digest('hex').slice(0, 16);
    this.folder = new LogFolder(options.path);
    this.positions = new ReadPositions(join(options.stateDir, `${name}.position.json`));
    this.rejects = new RejectedLines(join(options.stateDir, 'rejected.jsonl'));
  }

  get counts(): AccessLogCounts {
    return { ...this.sum };
  }

  /** Reads what is there. Rejects when the sink takes nothing: what it did not take is read again. */
  async poll(): Promise<void> {
    const found = await this.folder.look();
    const known = await this.knownFiles(found);
    const matched = await this.matched(found, known);
    this.sum.behindBytes = behind(matched);
    for (const file of known) if (!found.some(({ inode }) => inode === file.inode)) await this.finish(file);
    await this.follow(matched, known);
    for (const { file, from } of matched)
      if (from !== null && from.offset < file.size) await this.read(from, file.path);
    this.before = found;
  }

  private async follow(matched: readonly Matched[], known: readonly FollowedFile[]): Promise<void> {
    const isFirst = this.followed === null;
    this.followed = matched.flatMap(({ from }) => (from === null ? [] : [from]));
    if (isFirst || changed(known, this.followed)) await this.positions.save(this.followed);
  }

  close(): Promise<void> {
    return this.folder.close();
  }

  /** At the very first start, what rotation left behind before is none of ours. */
  private async knownFiles(found: readonly FoundFile[]): Promise<readonly FollowedFile[]> {
    if (this.followed !== null) return this.followed;
    const kept = await this.positions.load();
    if (kept.kind === 'positions') return kept.files;
    if (kept.kind === 'unreadable') {
      this.options.log.error(
        { log: this.options.path },
        'the position in the log is lost: it is read from the start',
      );
      return [];
    }
    return Promise.all(found.filter(({ current }) => !current).map((file) => this.readBefore(file)));
  }

  private async readBefore(file: FoundFile): Promise<FollowedFile> {
    const headLength = Math.min(HEAD_BYTES, file.size);
    const head = (await this.folder.headOf(file))(headLength);
    return { inode: file.inode, offset: file.size, headLength, head, inLongLine: false, open: false };
  }

  /** Only files that changed since the last look can have become others. */
  private async matched(
    found: readonly FoundFile[],
    known: readonly FollowedFile[],
  ): Promise<readonly Matched[]> {
    const heads = new Map<string, (length: number) => string>();
    for (const file of found)
      if (!this.isUnchanged(file, known) && file.size > 0)
        heads.set(file.inode, await this.folder.headOf(file));
    return match(found, known, ({ inode }, length) => {
      const same = known.find((each) => each.inode === inode);
      return heads.get(inode)?.(length) ?? same?.head ?? '';
    });
  }

  private isUnchanged(file: FoundFile, known: readonly FollowedFile[]): boolean {
    const last = this.before.find(({ inode }) => inode === file.inode);
    return (
      last?.size === file.size &&
      last.changedAt === file.changedAt &&
      known.some(({ inode }) => inode === file.inode)
    );
  }

  /** A file whose name is gone: open, it is read to its end; else nobody knows what else was in it. */
  private async finish(file: FollowedFile): Promise<void> {
    if (this.folder.holds(file.inode)) await this.read(file, '');
    else if (file.open) {
      this.sum.gaps += 1;
      this.options.log.error(
        { log: this.options.path },
        'the log went away while nobody read it: lines may be missing',
      );
    }
    await this.folder.release(file.inode);
  }

  private async read(file: FollowedFile, path: string): Promise<void> {
    for (let at = file; ;) {
      const bytes = await this.folder.read(at.inode, path, at.offset, CHUNK_BYTES);
      const { lines, end, inLongLine } = linesIn(bytes, at.offset, at.inLongLine);
      if (end === at.offset) return;
      await this.take(lines);
      at = await this.advanced(at, path, { offset: end, inLongLine });
    }
  }

  private async advanced(
    file: FollowedFile,
    path: string,
    moved: Pick<FollowedFile, 'offset' | 'inLongLine'>,
  ): Promise<FollowedFile> {
    const headLength = Math.min(HEAD_BYTES, moved.offset);
    const isLonger = headLength > file.headLength;
    const head = isLonger ? (await this.folder.headOf({ ...file, path }))(headLength) : file.head;
    const next = { ...file, ...moved, headLength, head };
    this.followed = (this.followed ?? []).map((each) => (each.inode === file.inode ? next : each));
    await this.positions.save(this.followed);
    this.sum.behindBytes = Math.max(0, this.sum.behindBytes - (next.offset - file.offset));
    return next;
  }

  private async take(lines: readonly PlacedLine[]): Promise<void> {
    const read = lines.map((line) => ({
      line,
      read: line.cut ? TOO_LONG : readLine(line.text, this.options.tenantId ?? null),
    }));
    const usage = new Map<string, { readonly line: PlacedLine; readonly event: UsageEvent }[]>();
    const rejected: RejectedLine[] = [];
    for (const { line, read: what } of read) {
      if (what.kind === 'rejected') rejected.push(this.rejection(line, what.problem));
      if (what.kind !== 'usage') continue;
      const own = usage.get(what.tenantId) ?? [];
      usage.set(what.tenantId, own);
      own.push({ line, event: what.event });
    }
    for (const [tenantId, own] of usage) rejected.push(...(await this.send(tenantId, own)));
    await this.rejects.add(rejected);
    this.count(read.filter((each) => each.read.kind === 'unbilled').length, rejected.length, lines.length);
  }

  /** What ingestion refuses will never be taken: it is kept beside the lines that nobody could read. */
  private async send(
    tenantId: string,
    usage: readonly { readonly line: PlacedLine; readonly event: UsageEvent }[],
  ): Promise<RejectedLine[]> {
    const { refusedAt = [], problem } = await this.options.sink.send(
      tenantId,
      usage.map(({ event }) => event),
    );
    return refusedAt.flatMap((at) => {
      const refused = usage[at];
      return refused === undefined ? [] : [this.rejection(refused.line, problem ?? 'was refused')];
    });
  }

  private rejection({ offset, text }: PlacedLine, problem: string): RejectedLine {
    return { log: this.options.path, offset, problem, line: text };
  }

  private count(unbilled: number, rejected: number, all: number): void {
    this.sum.unbilled += unbilled;
    this.sum.rejected += rejected;
    this.sum.reported += all - unbilled - rejected;
    if (rejected > 0)
      this.options.log.warn({ log: this.options.path, rejected }, 'lines of the log rejected');
  }
}

function behind(matched: readonly Matched[]): number {
  return matched.reduce((sum, { file, from }) => sum + file.size - (from?.offset ?? 0), 0);
}

const TOO_LONG = { kind: 'rejected', problem: 'is longer than 64 KiB' } as const;

function changed(before: readonly FollowedFile[], after: readonly FollowedFile[]): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}
