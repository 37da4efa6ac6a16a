import type { MigrationInterface, QueryRunner } from 'typeorm';

export type MigrationClass = new () => MigrationInterface;

/** A migration that runs plain SQL, forward only: a released schema is corrected by the next migration. */
export function sqlMigration(name: string, timestamp: number, sql: string): MigrationClass {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw new Error(`Not a migration name: ${JSON.stringify(name)}`);
  // TypeORM orders by the last 13 characters of the name and refuses what is no timestamp in milliseconds.
  if (!/^\d{13}$/.test(String(timestamp)))
    throw new Error(`Migration ${name}: the timestamp needs 13 digits`);
  return class implements MigrationInterface {
    readonly name = `${name}${timestamp}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(sql);
    }

    async down(): Promise<void> {
      throw new Error(`${this.name} only goes forward`);
    }
  };
}
