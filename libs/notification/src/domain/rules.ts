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
  thresholds: ['50', '80', '100'].map(threshold),
  percent: true,
  recurring: null,
};
const DEFAULT_LEADS: Readonly<Record<'expiry' | 'trial' | 'renewal', readonly string[]>> = {
  expiry: ['7d', '3d', '1d'],
  trial: ['7d', '3d', '1d'],
  renewal: ['7d'],
};
export const CARD_LEADS = ['30d', '7d'].map(leadTime);
export const SUSPENSION_LEADS = ['7d', '3d', '1d'].map(leadTime);

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
  return texts.map(leadTime);
}

function rulesFor(
  catalog: Catalog,
  on: NotificationRule['on'],
  applies: (rule: NotificationRule) => boolean,
): NotificationRule[] {
  return catalog.notification_rules.filter((rule) => rule.on === on && applies(rule));
}

function thresholdRule(rule: NotificationRule): ThresholdRule {
  const thresholds = rule.thresholds
    .map((text) => threshold(String(text)))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  return {
    thresholds,
    percent: rule.percent,
    recurring: rule.recurring === undefined ? null : threshold(String(rule.recurring)).at,
  };
}

/** The catalog was checked when it was applied, so a text that does not parse is a fault of ours. */
function threshold(text: string): Threshold {
  const parsed = parseAmount(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not a threshold`);
  return { text, at: parsed.value };
}

function leadTime(text: string): LeadTime {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not a duration`);
  return { text, before: parsed.value };
}
