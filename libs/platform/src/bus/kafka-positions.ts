import { Signal } from '../flow/signal';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}\n${partition}`;
}

/** How far a consumer has come in each partition it was given: the next offset to handle. */
export class KafkaPositions {
  private next = new Map<string, bigint>();
  private changed = new Signal();

  /** Forgets everything: a new assignment starts from what is stored, not from what this member remembers. */
  reset(): void {
    this.next = new Map();
    this.changed.raise();
  }

  of(partition: TopicPartition): bigint | undefined {
    return this.next.get(nameOf(partition));
  }

  set(partition: TopicPartition, next: bigint): void {
    this.next.set(nameOf(partition), next);
    this.changed.raise();
  }

  /** The next change; take it before looking at a position. */
  change(): Promise<void> {
    return this.changed.next();
  }
}
