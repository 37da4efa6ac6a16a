import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Entry } from './record';

interface Waiting {
  readonly lines: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * An append-only file of one JSON entry per line. `append` resolves when the entries are on the disk; entries that
 * arrive while a write is under way share the next one, so many charges a second cost few syncs.
 */
export class Journal {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | null = null;

  private constructor(private readonly file: FileHandle) {}

  /** Opens the file, creating it, and hands over what it holds. A torn last line, of a killed process, is cut off. */
  static async open(path: string): Promise<{ journal: Journal; entries: Entry[] }> {
    const text = await readFile(path, 'utf8').catch(() => '');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const file = await open(path, 'a');
    if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
    const entries = whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry);
    return { journal: new Journal(file), entries };
  }

  append(entries: readonly Entry[]): Promise<void> {
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return new Promise((done, failed) => {
      this.waiting.push({ lines, done, failed });
      this.writing ??= this.write();
    });
  }

  async close(): Promise<void> {
    await this.writing;
    await this.file.close();
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.file.appendFile(batch.map((item) => item.lines).join(''));
        await this.file.datasync();
        for (const item of batch) item.done();
      } catch (error) {
        for (const item of batch) item.failed(error);
      }
    }
    this.writing = null;
  }
}
