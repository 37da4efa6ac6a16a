import { addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

export type GenerationState = 'ahead' | 'current' | 'recent' | 'kept';

/** A stretch of the usage record by arrival. */
export interface Generation {
  readonly generation: number;
  readonly state: GenerationState;
  /** When it began to take new events; null: not known, or not yet. */
  readonly openedAt: Instant | null;
  readonly closedAt: Instant | null;
}

export type GenerationStep =
  /** Note when the first one began. */
  | { readonly step: 'date'; readonly generation: number }
  | { readonly step: 'create'; readonly generation: number; readonly like: number }
  | { readonly step: 'open'; readonly generation: number; readonly closes: number }
  | { readonly step: 'keep'; readonly generation: number };

/**
 * What is to be done now, in order. A generation takes events for as long as the dedup window is; when it is closed it
 * is looked up for as long again, so that an identity is found for a whole window after it came, in whatever
 * generation, and at most two are looked up.
 */
export function stepsDue(
  generations: readonly Generation[],
  now: Instant,
  windowMicros: number,
): GenerationStep[] {
  const current = generations.find(({ state }) => state === 'current');
  if (current === undefined) return [];
  const { generation, openedAt } = current;
  if (openedAt === null) return [{ step: 'date', generation }];
  const steps: GenerationStep[] = [];
  const next = generations.find(({ state }) => state === 'ahead')?.generation;
  const last = Math.max(...generations.map((one) => one.generation));
  if (next === undefined) steps.push({ step: 'create', generation: last + 1, like: generation });
  if (addMicros(openedAt, windowMicros) < now)
    steps.push({ step: 'open', generation: next ?? last + 1, closes: generation });
  for (const { state, closedAt, generation: old } of generations)
    if (state === 'recent' && closedAt !== null && addMicros(closedAt, windowMicros) < now)
      steps.push({ step: 'keep', generation: old });
  return steps;
}
