import type { Budget, PlanFeature } from '@tallygate/contracts';
import { addMicros, instant, invariant, MICROS, parseAmount, windowsBetween } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { CounterKey } from './counter';

/** What a feature may debit in a calendar period. */
export interface SpendCap {
  readonly per: NonNullable<PlanFeature['spend_cap']>['per'];
  readonly amount: Nano;
}

/** By feature; of each period at most one. A feature without any is not in it. */
export type CapsInForce = ReadonlyMap<string, readonly SpendCap[]>;

/** What may be debited for the features of a plan: its own cap and the customer's budgets; by one period the smaller. */
export function capsInForce(
  features: Readonly<Record<string, PlanFeature>>,
  budgets: readonly Budget[],
): CapsInForce {
  const caps = new Map<string, readonly SpendCap[]>();
  for (const [feature, { spend_cap: ofPlan }] of Object.entries(features)) {
    const named = ofPlan === undefined ? [] : [capOf(ofPlan.per, ofPlan.amount)];
    for (const budget of budgets) if (budget.feature === feature) named.push(...capsOfBudget(budget));
    if (named.length > 0) caps.set(feature, nearestByPeriod(named));
  }
  return caps;
}

const NO_CAPS: readonly SpendCap[] = [];

export function capsOf({ caps }: { readonly caps: CapsInForce }, feature: string): readonly SpendCap[] {
  return caps.size === 0 ? NO_CAPS : (caps.get(feature) ?? NO_CAPS);
}

function capsOfBudget({ day, month }: Budget): SpendCap[] {
  const caps: SpendCap[] = [];
  if (day !== null) caps.push(capOf('day', day));
  if (month !== null) caps.push(capOf('month', month));
  return caps;
}

function nearestByPeriod(caps: readonly SpendCap[]): readonly SpendCap[] {
  const nearest = new Map<SpendCap['per'], SpendCap>();
  for (const cap of caps) {
    const other = nearest.get(cap.per);
    if (other === undefined || cap.amount < other.amount) nearest.set(cap.per, cap);
  }
  return [...nearest.values()];
}

/** The catalog and the budget's route checked it; a text that does not parse here is a bug. */
function capOf(per: SpendCap['per'], text: string): SpendCap {
  const parsed = parseAmount(text);
  invariant(parsed.ok && parsed.value >= 0n, 'A cap is a decimal of at least 0');
  return { per, amount: parsed.value };
}

/** The calendar period of a spend cap that holds an instant, in the customer's zone. */
export function capPeriod(per: SpendCap['per'], at: Instant, zone: string): { start: Instant; end: Instant } {
  if (per === 'second') {
    const start = instant(Math.floor(at / MICROS.second) * MICROS.second);
    return { start, end: addMicros(start, MICROS.second) };
  }
  const [window] = windowsBetween(per, at, addMicros(at, 1), zone);
  invariant(window, 'Every instant is in a window');
  return window;
}

/** Of what a spend counter is: a cap by another period or in another unit is another one's. */
export function spendScope(
  { per }: SpendCap,
  unit: string,
): { readonly kind: 'spend'; readonly scope: string } {
  return { kind: 'spend', scope: `${per} ${unit}` };
}

/** The unit that a spend counter counts. */
export function unitOfSpend({ scope }: Pick<CounterKey, 'scope'>): string {
  return scope.slice(scope.indexOf(' ') + 1);
}

/** The period of the cap that a spend counter counts towards. */
export function perOfSpend({ scope }: Pick<CounterKey, 'scope'>): SpendCap['per'] {
  return scope.slice(0, scope.indexOf(' ')) as SpendCap['per'];
}
