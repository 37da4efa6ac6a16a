import type { Catalog, NotificationRule } from '@tallygate/contracts';
import { type Duration, type Nano, parseAmount, parseDuration } from '@tallygate/kernel';

/** A usage or balance threshold with the text it was written as. */
export interface Threshold {
  readonly text: string;
  /** In units of the subject, or in percent of what is included. */
  readonly at: Nano;
}

export interface ThresholdRule {
  readonly thresholds: readonly Threshold[];
  readonly percent: boolean;
  /** Step that repeats beyond the last threshold; null for none. */
  readonly recurring: Nano | null;
}

/** How long before an event it is announced. */
export interface LeadTime {
  readonly text: string;
  readonly before: Duration;
}

const DEFAULT_USAGE: ThresholdRule = {
  thresholds: ['50', '80', '100'].flatMap(threshold),
  percent: true,
  recurring: null,
};
const DEFAULT_LEADS: Readonly<Record<'expiry' | 'trial' | 'renewal', readonly string[]>> = {
  expiry: ['7d', '3d', '1d'],
  trial: ['7d', '3d', '1d'],
  renewal: ['7d'],
};
export const CARD_LEADS = ['30d', '7d'].flatMap(leadTime);
export const SUSPENSION_LEADS = ['7d', '3d', '1d'].flatMap(leadTime);

/** Stages of a feature's use: the catalog's rules for it replace the defaults. */
export function usageRules(catalog: Catalog, feature: string): readonly ThresholdRule[] {
  const own = rulesFor(catalog, 'usage', (rule) => rule.feature === undefined || rule.feature === feature);
  return own.length > 0 ? own.map(thresholdRule) : [DEFAULT_USAGE];
}

/** Amounts at which a balance counts as low; there is no default amount. */
export function balanceRules(catalog: Catalog, unit: string): readonly ThresholdRule[] {
  return rulesFor(catalog, 'balance', (rule) => rule.unit === undefined || rule.unit === unit).map(
    thresholdRule,
  );
}

export function leadTimes(
  catalog: Catalog,
  on: 'expiry' | 'trial' | 'renewal',
  unit?: string,
): readonly LeadTime[] {
  const own = rulesFor(catalog, on, (rule) => rule.unit === undefined || rule.unit === unit);
  const texts = own.length > 0 ? own.flatMap((rule) => rule.thresholds.map(String)) : DEFAULT_LEADS[on];
  return [...new Set(texts)].flatMap(leadTime);
}

function rulesFor(
  catalog: Catalog,
  on: NotificationRule['on'],
  applies: (rule: NotificationRule) => boolean,
): NotificationRule[] {
  return catalog.notification_rules.filter((rule) => rule.on === on && applies(rule));
}

function thresholdRule({ thresholds, percent, recurring }: NotificationRule): ThresholdRule {
  return {
    thresholds: thresholds.flatMap((text) => threshold(String(text))),
    percent,
    recurring: recurring === undefined ? null : (threshold(String(recurring))[0]?.at ?? null),
  };
}

/** None for a text that is no amount: one rule that says nothing must not keep others from speaking. */
function threshold(text: string): readonly Threshold[] {
  const parsed = parseAmount(text);
  return parsed.ok ? [{ text, at: parsed.value }] : [];
}

/** None for a text that is no duration, for the same reason. */
function leadTime(text: string): readonly LeadTime[] {
  const parsed = parseDuration(text);
  return parsed.ok ? [{ text, before: parsed.value }] : [];
}
