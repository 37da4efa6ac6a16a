import type { UsageEvent } from './usage-event';

/** Ingestion takes 1 MiB at once; the rest is for headers and for what UTF-8 needs beyond one byte a character. */
const MOST_CHARACTERS = 300_000;

export interface UsageBatch {
  readonly count: number;
  /** A JSON array of events. */
  readonly body: string;
}

/** Events as bodies that ingestion takes, each event written once. One that is too large is alone in its body. */
export function usageBatches(events: readonly UsageEvent[], most = MOST_CHARACTERS): readonly UsageBatch[] {
  const batches: UsageBatch[] = [];
  let texts: string[] = [];
  let length = 0;
  const end = (): void => {
    if (texts.length > 0) batches.push({ count: texts.length, body: `[${texts.join(',')}]` });
    texts = [];
    length = 0;
  };
  for (const event of events) {
    const text = JSON.stringify(event);
    if (length + text.length > most) end();
    texts.push(text);
    length += text.length;
  }
  end();
  return batches;
}
