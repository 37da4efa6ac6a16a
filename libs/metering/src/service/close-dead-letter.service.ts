import { Injectable } from '@nestjs/common';
import type { Fault } from '../domain/fault';
import { attributesIn, decodeMessage } from '../domain/message';
import type { Decoded } from '../domain/message';
import { AcceptUsage } from './accept-usage.service';
import { DeadLetterStore } from './dead-letters';
import type { DeadLetter } from './dead-letters';

export type Closing =
  | { readonly kind: 'closed'; readonly letter: DeadLetter }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'closed_before'; readonly letter: DeadLetter }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'conflict'; readonly id: string };

/** What a person does with a letter: sends its event again, as it was or mended, or throws it away. */
@Injectable()
export class CloseDeadLetter {
  constructor(
    private readonly letters: DeadLetterStore,
    private readonly usage: AcceptUsage,
  ) {}

  /** @param event the mended event; null sends the letter's own. The letter stays open while it is refused. */
  async replay(tenantId: string, letterId: string, event: unknown): Promise<Closing> {
    const letter = await this.letters.find(tenantId, letterId);
    if (letter === null) return { kind: 'not_found' };
    if (letter.status !== 'open') return { kind: 'closed_before', letter };
    const own = event === null ? ownEvent(letter) : { json: event };
    if ('faults' in own) return { kind: 'invalid', faults: own.faults };
    const [answer] = await this.usage.accept(tenantId, [own.json]);
    if (answer?.kind === 'invalid') return { kind: 'invalid', faults: answer.faults };
    if (answer?.kind === 'conflict') return { kind: 'conflict', id: answer.id };
    return this.close(letter, 'replayed');
  }

  async discard(tenantId: string, letterId: string): Promise<Closing> {
    const letter = await this.letters.find(tenantId, letterId);
    return letter === null ? { kind: 'not_found' } : this.close(letter, 'discarded');
  }

  private async close(letter: DeadLetter, status: 'replayed' | 'discarded'): Promise<Closing> {
    const closed = await this.letters.close(letter.tenantId, letter.id, status);
    return closed ? { kind: 'closed', letter: { ...letter, status } } : { kind: 'closed_before', letter };
  }
}

/** A letter is about one event: the only one of its message, or the one of a batch that was refused. */
function ownEvent({ payload, headers }: DeadLetter): Decoded {
  const [own] = decodeMessage(
    payload.toString('utf8'),
    attributesIn(headers, 'ce_'),
    headers['content-type'],
  );
  return own ?? { json: undefined };
}
