import { MICROS, parseDuration } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant, roleName, sqlState } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Generation, GenerationState } from '../domain';
import { GenerationStore } from '../service/usage-generations';
import * as sql from './sql/generation';

const DEFAULT_WINDOW_DAYS = 35;
/** A month and a year at their longest. */
const MONTH_DAYS = 31;
const LOCK_NOT_AVAILABLE = '55P03';
/** ATTACH waits for other maintenance of the table only; writers go on meanwhile. */
const ATTACH_TRIES = 5;
const ATTACH_WAIT_MS = 2_000;

/** As much of a connection of the tables' owner as is needed here. */
export interface OwnerConnection {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

export type AsOwner = (work: (owner: OwnerConnection) => Promise<void>) => Promise<void>;

export class PgGenerationStore extends GenerationStore {
  constructor(
    private readonly schema: string,
    private readonly asOwner: AsOwner,
  ) {
    super();
  }

  override async begin(tx: Tx): Promise<boolean> {
    return (await tx.query(sql.tryToMaintain)).rowCount === 1;
  }

  override async list(tx: Tx): Promise<readonly Generation[]> {
    const { rows } = await tx.query<{
      generation: number;
      state: GenerationState;
      opened_at: string | null;
      closed_at: string | null;
    }>(sql.listGenerations);
    return rows.map((row) => ({
      generation: row.generation,
      state: row.state,
      openedAt: instantOrNullFromPg(row.opened_at),
      closedAt: instantOrNullFromPg(row.closed_at),
    }));
  }

  override async windowMicros(tx: Tx): Promise<number> {
    const { rows } = await tx.query<{ window: string | null }>(sql.dedupWindows);
    return Math.max(DEFAULT_WINDOW_DAYS * MICROS.day, ...rows.map(({ window }) => longest(window)));
  }

  /** A crash in between leaves a table that is not attached: it is attached by the next try. */
  override create(generation: number, like: number): Promise<void> {
    const names = { api: roleName(this.schema, 'api'), worker: roleName(this.schema, 'worker') };
    const statements = sql.partitionStatements(generation, like, { schema: this.schema, ...names });
    return this.asOwner(async (owner) => {
      const { rows } = await owner.query(sql.partitionState, [this.schema, `usage_event_${generation}`]);
      if (rows[0] === undefined) await owner.query(statements.make);
      if (rows[0]?.['attached'] !== true) await attach(owner, statements.attach);
      await owner.query(statements.tidy);
    });
  }

  override async created(tx: Tx, generation: number): Promise<void> {
    await tx.query(sql.createdGeneration, [generation]);
  }

  override async date(tx: Tx, generation: number, now: Instant): Promise<void> {
    await tx.query(sql.dateGeneration, [generation, pgInstant(now)]);
  }

  override async open(
    tx: Tx,
    generation: number,
    closes: number,
    now: Instant,
    waitMs: number,
  ): Promise<boolean> {
    await tx.query(`set local lock_timeout = ${Math.ceil(waitMs)}`);
    try {
      await tx.query('savepoint before_lock');
      await tx.query(sql.lockGenerations);
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      await tx.query('rollback to savepoint before_lock');
      return false;
    }
    const { rowCount } = await tx.query(sql.closeGeneration, [closes, pgInstant(now)]);
    if (rowCount === 1) await tx.query(sql.openGeneration, [generation, pgInstant(now)]);
    return true;
  }

  override async keep(tx: Tx, generation: number): Promise<void> {
    await tx.query(sql.keepGeneration, [generation]);
  }
}

function longest(window: string | null): number {
  const parsed = parseDuration(window);
  if (!parsed.ok) return 0;
  const { months, days, micros } = parsed.value;
  return (months * MONTH_DAYS + days) * MICROS.day + micros;
}

async function attach(owner: OwnerConnection, statement: string): Promise<void> {
  await owner.query(`set lock_timeout = ${ATTACH_WAIT_MS}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await owner.query(statement);
      return;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || attempt === ATTACH_TRIES) throw error;
    }
  }
}
