import { exactMicros, parseDuration } from '@tallygate/kernel';

/** What the card or a script makes the provider do with one charge. */
export type Behaviour =
  | { readonly kind: 'ok' }
  | { readonly kind: 'decline'; readonly code: string; readonly advice: string | null }
  | { readonly kind: 'requires_action' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'timeout_unknown' }
  | { readonly kind: 'timeout_captured' }
  | { readonly kind: 'timeout_declined' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'outage'; readonly micros: number };

const PLAIN = [
  'ok',
  'requires_action',
  'pending',
  'timeout_unknown',
  'timeout_captured',
  'timeout_declined',
  'refused',
] as const;

const DECLINE = /^decline:([a-z0-9_]{1,64})(?:,advice:(\d{1,2}))?$/;

/** Reads a behaviour as scenarios write it; null for a text that names none. */
export function parseBehaviour(text: string): Behaviour | null {
  const plain = PLAIN.find((kind) => kind === text);
  if (plain !== undefined) return { kind: plain };
  const decline = DECLINE.exec(text);
  if (decline?.[1] !== undefined) return { kind: 'decline', code: decline[1], advice: decline[2] ?? null };
  return text.startsWith('outage:') ? parseOutage(text.slice('outage:'.length)) : null;
}

function parseOutage(text: string): Behaviour | null {
  const duration = parseDuration(text);
  if (!duration.ok || duration.value.months > 0) return null;
  return { kind: 'outage', micros: exactMicros(duration.value) };
}

/** The behaviour that a stored card's reference carries: `sandbox:<behaviour>#<card>`. Another reference is a good card. */
export function behaviourOfMethod(method: string | null): string {
  return /^sandbox:([^#]*)/.exec(method ?? '')?.[1] ?? 'ok';
}
