import { readFile, readdir } from 'node:fs/promises';

/** Of Linux on every machine it runs on: USER_HZ. */
const TICKS_PER_SECOND = 100;
const PAGE_KB = 4;

interface ProcessRow {
  readonly parent: number;
  /** Its own and that of children it has waited for. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

/** All processes of the machine at one moment, from /proc (see proc(5)). */
export class Processes {
  private constructor(private readonly rows: ReadonlyMap<number, ProcessRow>) {}

  /** @throws where there is no /proc */
  static async now(): Promise<Processes> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const rows = await Promise.all(pids.map(async (pid) => [pid, await rowOf(pid)] as const));
    return new Processes(new Map(rows.filter((entry): entry is [number, ProcessRow] => entry[1] !== null)));
  }

  residentMb(pid: number): number {
    return this.rows.get(pid)?.residentMb ?? NaN;
  }

  /** Of the process and everything below it. Pages that they share count once for each. */
  treeResidentMb(root: number): number {
    return this.tree(root).reduce((sum, row) => sum + row.residentMb, 0);
  }

  /** Seconds of processor time that the process and everything below it ever took. */
  treeCpuSeconds(root: number): number {
    return this.tree(root).reduce((sum, row) => sum + row.cpuSeconds, 0);
  }

  private tree(root: number): ProcessRow[] {
    const below = (pid: number): boolean => {
      const row = this.rows.get(pid);
      return row !== undefined && (pid === root || below(row.parent));
    };
    return [...this.rows].filter(([pid]) => below(pid)).map(([, row]) => row);
  }
}

async function rowOf(pid: number): Promise<ProcessRow | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (stat === null) return null;
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return {
    parent: fields[1] ?? 0,
    cpuSeconds: (user + system + childUser + childSystem) / TICKS_PER_SECOND,
    residentMb: ((fields[21] ?? 0) * PAGE_KB) / 1024,
  };
}
