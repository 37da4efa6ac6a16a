import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { AttemptState, Outcome, PastDecline } from '../domain';
import { AttemptStore } from '../service/ports';
import type { Attempt, Method } from '../service/ports';
import type { Session } from '../service/session';
import { nanoFromPg, pgNano } from './invoice-row';
import * as sql from './sql/attempts';

interface AttemptRow {
  readonly attempt_id: string;
  readonly invoice_id: string;
  readonly payer_id: string;
  readonly mode: Attempt['mode'];
  readonly purpose: Attempt['purpose'];
  readonly amount: string;
  readonly currency: string;
  readonly method: Method | null;
  readonly state: AttemptState;
  readonly charge_ref: string | null;
  readonly decline_code: string | null;
  readonly advice_code: string | null;
  readonly captured_at: string | null;
  readonly created_at: string;
  readonly check_at: string | null;
  readonly refunded: string;
}

@Injectable()
export class PgAttemptStore extends AttemptStore {
  override async insert({ tx, tenantId }: Session, attempt: Attempt): Promise<void> {
    const { id, invoiceId, payerId, mode, purpose, amount, currency, method, outcome, createdAt, checkAt } =
      attempt;
    await tx.query(sql.insertAttempt, [
      tenantId,
      id,
      invoiceId,
      payerId,
      mode,
      purpose,
      pgNano(amount),
      currency,
      method === null ? null : JSON.stringify(method),
      outcome.state,
      pgInstant(createdAt),
      pgInstantOrNull(checkAt),
    ]);
  }

  override async save({ tx, tenantId }: Session, { id, outcome, checkAt, refunded }: Attempt): Promise<void> {
    const { state, chargeRef, declineCode, adviceCode, capturedAt } = outcome;
    await tx.query(sql.saveAttempt, [
      tenantId,
      id,
      state,
      chargeRef,
      declineCode,
      adviceCode,
      pgInstantOrNull(capturedAt),
      pgInstantOrNull(checkAt),
      pgNano(refunded),
    ]);
  }

  override async find({ tx, tenantId }: Session, attemptId: string): Promise<Attempt | null> {
    const { rows } = await tx.query<AttemptRow>(sql.findAttempt, [tenantId, attemptId]);
    return rows[0] === undefined ? null : attemptOf(rows[0]);
  }

  override async openOf({ tx, tenantId }: Session, invoiceId: string): Promise<Attempt | null> {
    const { rows } = await tx.query<AttemptRow>(sql.openAttempt, [tenantId, invoiceId]);
    return rows[0] === undefined ? null : attemptOf(rows[0]);
  }

  override async openOfPayer({ tx, tenantId }: Session, payerId: string): Promise<readonly Attempt[]> {
    const { rows } = await tx.query<AttemptRow>(sql.openAttemptsOfPayer, [tenantId, payerId]);
    return rows.map(attemptOf);
  }

  override async capturedOf({ tx, tenantId }: Session, invoiceId: string): Promise<readonly Attempt[]> {
    const { rows } = await tx.query<AttemptRow>(sql.capturedAttempts, [tenantId, invoiceId]);
    return rows.map(attemptOf);
  }

  override async declinesOf(
    { tx, tenantId }: Session,
    payerId: string,
    providerRef: string,
    since: Instant,
  ): Promise<readonly PastDecline[]> {
    const { rows } = await tx.query<{ created_at: string; amount: string }>(sql.declinesOfCard, [
      tenantId,
      payerId,
      providerRef,
      pgInstant(since),
    ]);
    return rows.map((row) => ({ at: instantFromPg(row.created_at), amount: nanoFromPg(row.amount) }));
  }

  override async lastDeclineOf(
    { tx, tenantId }: Session,
    payerId: string,
    methodId: string,
  ): Promise<Outcome | null> {
    const { rows } = await tx.query<AttemptRow>(sql.lastDecline, [tenantId, payerId, methodId]);
    return rows[0] === undefined ? null : attemptOf(rows[0]).outcome;
  }

  override async reachedOf({ tx, tenantId }: Session, payerId: string): Promise<readonly Attempt[]> {
    const { rows } = await tx.query<AttemptRow>(sql.reachedAttempts, [tenantId, payerId]);
    return rows.map(attemptOf);
  }
}

function attemptOf(row: AttemptRow): Attempt {
  return {
    id: row.attempt_id,
    invoiceId: row.invoice_id,
    payerId: row.payer_id,
    mode: row.mode,
    purpose: row.purpose,
    amount: nanoFromPg(row.amount),
    currency: row.currency,
    method: row.method,
    outcome: {
      state: row.state,
      chargeRef: row.charge_ref,
      declineCode: row.decline_code,
      adviceCode: row.advice_code,
      capturedAt: instantOrNullFromPg(row.captured_at),
    },
    createdAt: instantFromPg(row.created_at),
    checkAt: instantOrNullFromPg(row.check_at),
    refunded: nanoFromPg(row.refunded),
  };
}
