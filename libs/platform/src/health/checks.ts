import { withOwner } from '../postgres/provision';
import type { ReadinessCheck } from './readiness';
import { whereOf } from './readiness';

interface Answering {
  ping(): Promise<void>;
}

/** The server itself, before a schema is there. */
export function databaseServerCheck(ownerUrl: string): ReadinessCheck {
  return {
    name: 'database (PostgreSQL)',
    where: whereOf(ownerUrl),
    start: 'start PostgreSQL at DATABASE_URL; schemas and roles are created',
    check: () => withOwner(ownerUrl, (owner) => owner.query('select 1')),
  };
}

export function kafkaCheck(bus: Answering, brokers: readonly string[]): ReadinessCheck {
  return {
    name: 'event bus (Kafka)',
    where: brokers.join(', '),
    start: 'start Kafka at KAFKA_BROKERS; missing topics are created',
    check: () => bus.ping(),
  };
}

export function redisCheck(queue: Answering, url: string): ReadinessCheck {
  return {
    name: 'job queue (Redis)',
    where: whereOf(url),
    start: 'start Redis at REDIS_URL; it needs no data',
    check: () => queue.ping(),
  };
}

export function postgresQueueCheck(queue: Answering, url: string): ReadinessCheck {
  return {
    name: 'job queue (PostgreSQL)',
    where: whereOf(url),
    start: 'start PostgreSQL at DATABASE_URL and provision the queue',
    check: () => queue.ping(),
  };
}
