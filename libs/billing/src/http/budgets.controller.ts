import { Body, Controller, Delete, Get, Param, Put } from '@nestjs/common';
import { keyText } from '@tallygate/contracts';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { z } from 'zod';
import { Budgets } from '../service/budgets.service';
import type { Caller } from '../service/tenant-session';
import { BUDGETS } from './budget-operations';
import { CurrentCaller } from './caller';
import { BILLING_TAG } from './operations';
import { budgetRefused, notFound } from './refusals';
import { budgetBody } from './requests';

/** What a customer lets its features cost. */
@Api(BILLING_TAG)
@Controller('v1/customers/:customer/budgets')
export class BudgetsController {
  constructor(private readonly budgets: Budgets) {}

  @Get()
  @Operation(BUDGETS.list)
  async list(@CurrentCaller() caller: Caller, @Param('customer') customer: string) {
    const budgets = await this.budgets.list(caller, customer);
    if (budgets === null) throw notFound('customer');
    return { customer, budgets };
  }

  @Get(':feature')
  @Operation(BUDGETS.show)
  async show(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Param('feature', new ZodBody(keyText)) feature: string,
  ) {
    const budgets = await this.budgets.list(caller, customer);
    const budget = budgets?.find((one) => one.feature === feature);
    if (budget === undefined) throw notFound('budget');
    return { customer, ...budget };
  }

  @Put(':feature')
  @Operation(BUDGETS.set)
  async set(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Param('feature', new ZodBody(keyText)) feature: string,
    @Body(new ZodBody(budgetBody)) { day, month }: z.output<typeof budgetBody>,
  ) {
    const set = await this.budgets.set(caller, customer, { feature, day, month });
    if (!set.ok) throw budgetRefused(set.error);
    return { customer, ...set.value };
  }

  @Delete(':feature')
  @Operation(BUDGETS.remove)
  async remove(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Param('feature', new ZodBody(keyText)) feature: string,
  ) {
    if (!(await this.budgets.remove(caller, customer, feature))) throw notFound('budget');
    return { customer, feature, removed: true as const };
  }
}
