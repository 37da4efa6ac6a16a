import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { FollowedFile } from './followed-file';

const document = z.strictObject({
  files: z.array(
    z.strictObject({
      inode: z.string(),
      offset: z.int().min(0),
      headLength: z.int().min(0),
      head: z.string(),
      inLongLine: z.boolean(),
      open: z.boolean(),
    }),
  ),
});

export type KeptPositions =
  | { readonly kind: 'positions'; readonly files: readonly FollowedFile[] }
  /** Nothing was ever kept. */
  | { readonly kind: 'none' }
  /** Kept, but not to be read: everything is read again, and counted once by its ids. */
  | { readonly kind: 'unreadable' };

/** How far a log was read, in a file of its own: written whole, then put in the old one's place. */
export class ReadPositions {
  constructor(private readonly path: string) {}

  async load(): Promise<KeptPositions> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return { kind: 'none' };
    const read = z.preprocess(fromJson, document).safeParse(text);
    return read.success ? { kind: 'positions', files: read.data.files } : { kind: 'unreadable' };
  }

  async save(files: readonly FollowedFile[]): Promise<void> {
    const file = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify({ files }));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${this.path}.new`, this.path);
  }
}

function fromJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return null;
  }
}
