/** What kafkajs throws for a topic that a broker does not know, or does not know yet. */
export function isUnknownTopic(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'UNKNOWN_TOPIC_OR_PARTITION';
}
