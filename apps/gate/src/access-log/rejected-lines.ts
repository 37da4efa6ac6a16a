import { appendFile, rename, stat } from 'node:fs/promises';

/** A line that is no usage and was to be. */
export interface RejectedLine {
  readonly log: string;
  readonly offset: number;
  readonly problem: string;
  readonly line: string;
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Keeps rejected lines where somebody sees them: one JSON object a line. The last 64–128 MiB of them. */
export class RejectedLines {
  constructor(private readonly path: string) {}

  async add(lines: readonly RejectedLine[]): Promise<void> {
    if (lines.length === 0) return;
    await appendFile(this.path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
    const { size } = await stat(this.path);
    if (size > MOST_BYTES) await rename(this.path, `${this.path}.1`);
  }
}
