import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HEAD_BYTES } from './followed-file';
import type { SeenFile } from './followed-file';

/** As a file was found; two looks that found the same need no second reading. */
export interface FoundFile extends SeenFile {
  readonly changedAt: bigint;
}

/** Compressed, or on the way to it: what is in them was read before, or is lost to a reader of lines. */
const UNREADABLE = /\.(?:gz|xz|zst|bz2|lz4|zip|tmp)$/;

/** A log and what rotation left beside it: `access.log`, `access.log.1`, `access.log-20260301`. */
export class LogFolder {
  private readonly handles = new Map<string, FileHandle>();

  constructor(private readonly path: string) {}

  /** Those rotated away first, oldest first, and the log itself last: the order in which lines were written. */
  async look(): Promise<readonly FoundFile[]> {
    const name = basename(this.path);
    const names = await readdir(dirname(this.path)).catch(NOTHING_THERE);
    const rotated = names.filter((each) => isRotated(each, name));
    const found = await Promise.all([...rotated, name].map((each) => this.found(each, each === name)));
    return found.filter((each) => each !== null).sort(inOrder);
  }

  private async found(name: string, current: boolean): Promise<FoundFile | null> {
    const path = join(dirname(this.path), name);
    const stats = await stat(path, { bigint: true }).catch(() => null);
    if (stats === null || !stats.isFile()) return null;
    return { path, inode: String(stats.ino), size: Number(stats.size), current, changedAt: stats.mtimeNs };
  }

  async read(inode: string, path: string, offset: number, bytes: number): Promise<Buffer> {
    const handle = this.handles.get(inode) ?? (await this.opened(inode, path));
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(bytes), 0, bytes, offset);
    return buffer.subarray(0, bytesRead);
  }

  /** How the file begins; its digest at any length up to `HEAD_BYTES`. */
  async headOf({ inode, path }: Pick<SeenFile, 'inode' | 'path'>): Promise<(length: number) => string> {
    const head = await this.read(inode, path, 0, HEAD_BYTES);
    return (length) => digestOf(head.subarray(0, length));
  }

  /** An open file is read to its end also when its name is gone. */
  holds(inode: string): boolean {
    return this.handles.has(inode);
  }

  async release(inode: string): Promise<void> {
    const handle = this.handles.get(inode);
    this.handles.delete(inode);
    await handle?.close();
  }

  async close(): Promise<void> {
    for (const inode of [...this.handles.keys()]) await this.release(inode);
  }

  private async opened(inode: string, path: string): Promise<FileHandle> {
    const handle = await open(path, 'r');
    // Renamed between the look and now: the next look tells who is who.
    if (String((await handle.stat({ bigint: true })).ino) !== inode) {
      await handle.close();
      throw new Error(`${path} was replaced just now`);
    }
    this.handles.set(inode, handle);
    return handle;
  }
}

export function digestOf(head: Buffer): string {
  return head.length === 0 ? '' : createHash('sha256').update(head).digest('base64');
}

function isRotated(name: string, log: string): boolean {
  return /^[.-]./.test(name.slice(log.length)) && name.startsWith(log) && !UNREADABLE.test(name);
}

function inOrder(a: FoundFile, b: FoundFile): number {
  if (a.current !== b.current) return a.current ? 1 : -1;
  if (a.changedAt !== b.changedAt) return a.changedAt < b.changedAt ? -1 : 1;
  return turnOf(b.path) - turnOf(a.path) || (a.path < b.path ? -1 : 1);
}

/** `.2` is older than `.1`; where a date tells, the names' order does. */
function turnOf(path: string): number {
  return Number(/\.(\d{1,4})$/.exec(path)?.[1] ?? 0);
}

function NOTHING_THERE(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
