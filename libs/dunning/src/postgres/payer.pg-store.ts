import { Injectable } from '@nestjs/common';
import type { CollectionFacts } from '@tallygate/contracts';
import { instantOrNullFromPg, pgInstantOrNull } from '@tallygate/platform';
import type { Warning } from '../domain';
import { PayerStore } from '../service/ports';
import type { Method, Payer } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/payers';

interface PayerRow {
  readonly payer_id: string;
  readonly facts: CollectionFacts;
  readonly warnings: readonly Warning[];
  readonly due_at: string | null;
}

@Injectable()
export class PgPayerStore extends PayerStore {
  override async lock({ tx, tenantId }: Session, payerId: string): Promise<Payer> {
    const { rows } = await tx.query<PayerRow>(sql.lockPayer, [
      tenantId,
      payerId,
      JSON.stringify(currentFacts(payerId)),
    ]);
    const row = rows[0];
    if (row === undefined) throw new Error(`Payer ${payerId} could not be locked`);
    return payerOf(row);
  }

  override async find({ tx, tenantId }: Session, payerId: string): Promise<Payer | null> {
    const { rows } = await tx.query<PayerRow>(sql.findPayer, [tenantId, payerId]);
    return rows[0] === undefined ? null : payerOf(rows[0]);
  }

  override async save({ tx, tenantId }: Session, { id, facts, warnings, dueAt }: Payer): Promise<void> {
    await tx.query(sql.savePayer, [
      tenantId,
      id,
      JSON.stringify(facts),
      JSON.stringify(warnings),
      pgInstantOrNull(dueAt),
    ]);
  }

  override async method({ tx, tenantId }: Session, payerId: string): Promise<Method | null> {
    const { rows } = await tx.query<{ method: Method | null }>(sql.findMethod, [tenantId, payerId]);
    return rows[0]?.method ?? null;
  }

  override async applyMethod(
    session: Session,
    payerId: string,
    method: Method | null,
    version: number,
  ): Promise<boolean> {
    const before = await this.method(session, payerId);
    const { rowCount } = await session.tx.query(sql.applyMethod, [
      session.tenantId,
      payerId,
      encode(method),
      version,
    ]);
    return rowCount === 1 && before?.id !== method?.id;
  }

  override async adoptMethod(session: Session, payerId: string, method: Method): Promise<boolean> {
    const before = await this.method(session, payerId);
    if (before?.id === method.id) return false;
    await session.tx.query(sql.adoptMethod, [session.tenantId, payerId, encode(method)]);
    return true;
  }
}

function encode(method: Method | null): string | null {
  return method === null ? null : JSON.stringify(method);
}

function currentFacts(customerId: string): CollectionFacts {
  return {
    customerId,
    state: 'current',
    anchor: null,
    suspendAt: null,
    finalAction: null,
    downgradeTo: null,
    unpaidInvoiceIds: [],
    version: 0,
  };
}

/** jsonb sorts keys; the facts are put back into the order in which they are compared. */
function payerOf({ payer_id: id, facts, warnings, due_at }: PayerRow): Payer {
  const { customerId, state, anchor, suspendAt, finalAction, downgradeTo, unpaidInvoiceIds, version } = facts;
  const ordered = {
    customerId,
    state,
    anchor,
    suspendAt,
    finalAction,
    downgradeTo,
    unpaidInvoiceIds,
    version,
  };
  return { id, facts: ordered, warnings, dueAt: instantOrNullFromPg(due_at) };
}
