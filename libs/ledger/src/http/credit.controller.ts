import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { Answer } from '@tallygate/platform';
import { Grants } from '../service/grants.service';
import type { GrantOutcome, GrantRequest, VoidGrantOutcome } from '../service/grants.service';
import { Holds } from '../service/holds.service';
import type { HoldOutcome, ResolveOutcome } from '../service/holds.service';
import { Customers } from './customers';
import { CurrentMoneyCall, MoneyMoves, refusal } from './money-moves';
import type { MoneyCall } from './money-moves';
import { CREDIT, LEDGER_TAG } from './operations';
import { captureBody, debitBody, emptyBody, grantBody, holdBody } from './requests';
import { grantFaultsProblem, REFUSALS } from './refusals';

/** Credit given, taken back, debited and held. Every route needs an Idempotency-Key. */
@Api(LEDGER_TAG)
@Controller('v1')
export class CreditController {
  constructor(
    private readonly grants: Grants,
    private readonly holds: Holds,
    private readonly customers: Customers,
    private readonly moves: MoneyMoves,
  ) {}

  @Post('customers/:customer/grants')
  @Operation(CREDIT.grant)
  async grant(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('customer') customerKey: string,
    @Body(new ZodBody(grantBody)) body: z.output<typeof grantBody>,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(call.tenantId, customerKey);
    const key = body.key ?? call.key;
    const request = {
      ...body,
      key,
      tenantId: call.tenantId,
      customerId: customer.id,
      source: 'api',
      effectiveAt: body.effective_at ?? null,
      expiresAt: body.expires_at ?? null,
      features: body.features ?? null,
      recurrence: recurrenceOf(body.recurrence, customer.timezone),
      rollover: rolloverOf(body.rollover),
    };
    return this.moves.run(call, async (tx, now) => {
      const outcome = await this.grants.grant(tx, request, now);
      if (outcome.status === 'refused')
        return refusal(grantFaultsProblem(outcome.faults, termsSent(request)));
      return grantAnswer(outcome, {
        customer: customerKey,
        key,
        unit: body.unit,
        amount: formatAmount(body.amount),
      });
    });
  }

  @Post('grants/:key/void')
  @Operation(CREDIT.void)
  @HttpCode(200)
  async void(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('key') key: string,
    @Body(new ZodBody(emptyBody)) _: unknown,
  ): Promise<unknown> {
    return this.moves.run(call, async (tx, now) =>
      voidAnswer(await this.grants.void(tx, call.tenantId, key, now), key),
    );
  }

  @Post('customers/:customer/debits')
  @Operation(CREDIT.debit)
  async debit(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('customer') customerKey: string,
    @Body(new ZodBody(debitBody)) body: z.output<typeof debitBody>,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(call.tenantId, customerKey);
    const { unit, amount, feature = null } = body;
    const request = {
      tenantId: call.tenantId,
      customerId: customer.id,
      unit,
      amount,
      feature,
      key: body.key ?? call.key,
    };
    return this.moves.run(call, async (tx, now) => {
      const outcome = await this.holds.debit(tx, request, now);
      if (outcome === 'insufficient_credit') return refusal(REFUSALS.insufficient_credit());
      return {
        status: 201,
        body: { customer: customerKey, key: request.key, unit, amount: formatAmount(amount) },
      };
    });
  }

  @Post('customers/:customer/holds')
  @Operation(CREDIT.hold)
  async hold(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('customer') customerKey: string,
    @Body(new ZodBody(holdBody)) body: z.output<typeof holdBody>,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(call.tenantId, customerKey);
    const { unit, amount, feature = null, ttl: ttlMicros } = body;
    const key = body.key ?? call.key;
    const request = {
      tenantId: call.tenantId,
      customerId: customer.id,
      unit,
      amount,
      feature,
      ttlMicros,
      key,
    };
    return this.moves.run(call, async (tx, now) =>
      holdAnswer(await this.holds.reserve(tx, request, now), customerKey, unit),
    );
  }

  @Post('holds/:key/capture')
  @Operation(CREDIT.capture)
  @HttpCode(200)
  async capture(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('key') key: string,
    @Body(new ZodBody(captureBody)) body: z.output<typeof captureBody>,
  ): Promise<unknown> {
    const amount = body.amount ?? null;
    return this.moves.run(call, async (tx, now) => {
      const outcome = await this.holds.capture(tx, call.tenantId, key, amount, now);
      return resolveAnswer(outcome, key, amount === null ? {} : { amount: formatAmount(amount) });
    });
  }

  @Post('holds/:key/release')
  @Operation(CREDIT.release)
  @HttpCode(200)
  async release(
    @CurrentMoneyCall() call: MoneyCall,
    @Param('key') key: string,
    @Body(new ZodBody(emptyBody)) _: unknown,
  ): Promise<unknown> {
    return this.moves.run(call, async (tx, now) =>
      resolveAnswer(await this.holds.release(tx, call.tenantId, key, now), key, {}),
    );
  }
}

function recurrenceOf(recurrence: z.output<typeof grantBody>['recurrence'], zone: string) {
  return recurrence ? { every: recurrence.every, anchor: recurrence.anchor ?? null, zone } : null;
}

function rolloverOf(rollover: z.output<typeof grantBody>['rollover']) {
  return rollover ? { min: rollover.min ?? 0n, max: rollover.max ?? null } : null;
}

/** The terms of a grant as they were sent, for the faults that are about them. */
function termsSent({ expiresAt, rollover }: Pick<GrantRequest, 'expiresAt' | 'rollover'>) {
  return {
    expires_at: expiresAt === null ? null : formatInstant(expiresAt),
    rollover: rollover && {
      min: formatAmount(rollover.min),
      max: rollover.max === null ? null : formatAmount(rollover.max),
    },
  };
}

function grantAnswer(
  outcome: Exclude<GrantOutcome, { status: 'refused' }>,
  view: Readonly<Record<string, string>>,
): Answer {
  switch (outcome.status) {
    case 'granted':
      return { status: 201, body: { id: outcome.grantId, ...view } };
    case 'key_taken':
      return refusal(REFUSALS.grant_key_taken());
  }
}

function voidAnswer({ status }: VoidGrantOutcome, key: string): Answer {
  switch (status) {
    case 'voided':
    case 'already_voided':
      return { status: 200, body: { key, state: 'voided' } };
    case 'unknown':
      throw REFUSALS.grant_unknown();
    case 'used_up':
      return refusal(REFUSALS.grant_used_up());
    case 'expired':
      return refusal(REFUSALS.grant_expired());
  }
}

function holdAnswer(outcome: HoldOutcome, customer: string, unit: string): Answer {
  if (outcome.status === 'key_taken') return refusal(REFUSALS.hold_key_taken());
  if (outcome.status !== 'reserved') return refusal(REFUSALS.insufficient_credit());
  const { key, amount, expiresAt, state } = outcome.hold;
  const body = {
    customer,
    key,
    unit,
    amount: formatAmount(amount),
    expires_at: formatInstant(expiresAt),
    state,
  };
  return { status: 201, body };
}

function resolveAnswer(outcome: ResolveOutcome, key: string, view: Readonly<Record<string, string>>): Answer {
  switch (outcome.status) {
    case 'captured':
    case 'released':
      return { status: 200, body: { key, state: outcome.hold.state, ...view } };
    case 'unknown':
      throw REFUSALS.hold_unknown();
    case 'already_resolved':
      return refusal(REFUSALS.hold_resolved());
    case 'hold_expired':
      return refusal(REFUSALS.hold_expired());
    case 'insufficient_credit':
      return refusal(REFUSALS.insufficient_credit());
  }
}
