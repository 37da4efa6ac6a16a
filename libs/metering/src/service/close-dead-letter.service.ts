import { Injectable } from '@nestjs/common';
import { TenantTime } from '@tallygate/platform';
import type { Fault } from '../domain/fault';
import { attributesIn, decodeMessage } from '../domain/message';
import type { Decoded } from '../domain/message';
import { AcceptUsage } from './accept-usage.service';
import type { Actor, AuditEntry } from './audit-log';
import { DeadLetterStore } from './dead-letters';
import type { DeadLetter } from './dead-letters';

export type Closing =
  | { readonly kind: 'closed' | 'edited'; readonly letter: DeadLetter }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'closed_before'; readonly letter: DeadLetter }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'conflict'; readonly id: string };

/** Who does something to which letter, and why. */
export interface LetterAction extends Actor {
  readonly tenantId: string;
  readonly letterId: string;
  readonly reason: string | null;
}

/** What a person does with a letter: mends its event, sends it again, or throws it away. Each is in the audit log. */
@Injectable()
export class CloseDeadLetter {
  constructor(
    private readonly letters: DeadLetterStore,
    private readonly usage: AcceptUsage,
    private readonly time: TenantTime,
  ) {}

  /** Keeps a mended event with the letter; nothing is sent yet. */
  async edit(action: LetterAction, event: Readonly<Record<string, unknown>>): Promise<Closing> {
    const { tenantId, letterId } = action;
    const letter = await this.letters.find(tenantId, letterId);
    if (letter === null) return { kind: 'not_found' };
    const audit = await this.audit(action, 'dead_letter.edited', letter, { event });
    const kept = await this.letters.edit(tenantId, letterId, event, audit);
    return kept
      ? { kind: 'edited', letter: { ...letter, mended: event } }
      : { kind: 'closed_before', letter };
  }

  /** @param event a mended event; null sends the one kept with the letter. The letter stays open while it is refused. */
  async replay(action: LetterAction, event: unknown): Promise<Closing> {
    const { tenantId, letterId } = action;
    const letter = await this.letters.find(tenantId, letterId);
    if (letter === null) return { kind: 'not_found' };
    if (letter.status !== 'open') return { kind: 'closed_before', letter };
    const mended = event ?? letter.mended;
    const own = mended === null ? ownEvent(letter) : { json: mended };
    if ('faults' in own) return { kind: 'invalid', faults: own.faults };
    const [answer] = await this.usage.accept(tenantId, [own.json]);
    if (answer?.kind === 'invalid') return { kind: 'invalid', faults: answer.faults };
    if (answer?.kind === 'conflict') return { kind: 'conflict', id: answer.id };
    return this.close(action, letter, 'replayed', mended === null ? {} : { event: mended });
  }

  async discard(action: LetterAction): Promise<Closing> {
    const letter = await this.letters.find(action.tenantId, action.letterId);
    return letter === null ? { kind: 'not_found' } : this.close(action, letter, 'discarded', {});
  }

  private async close(
    action: LetterAction,
    letter: DeadLetter,
    status: 'replayed' | 'discarded',
    detail: Readonly<Record<string, unknown>>,
  ): Promise<Closing> {
    const audit = await this.audit(action, `dead_letter.${status}`, letter, detail);
    const closed = await this.letters.close(letter.tenantId, letter.id, status, audit);
    return closed ? { kind: 'closed', letter: { ...letter, status } } : { kind: 'closed_before', letter };
  }

  private async audit(
    { tenantId, letterId, keyId, author, reason }: LetterAction,
    action: AuditEntry['action'],
    { source, eventId, code }: DeadLetter,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<AuditEntry> {
    const at = await this.time.now(tenantId);
    const about = { source, event: eventId, code };
    return {
      tenantId,
      keyId,
      author,
      at,
      action,
      subject: letterId,
      reason,
      detail: { letter: about, ...detail },
    };
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
