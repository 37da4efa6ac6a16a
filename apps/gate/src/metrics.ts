import type { GateClient } from '@tallygate/gate-sdk';
import { createMetrics } from '@tallygate/platform';
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { AccessLogs } from './access-log/access-logs';
import type { Decisions } from './decisions';

/** Read when asked for: the hot path only counts. */
export function gateMetrics(
  client: GateClient,
  { counts }: Decisions,
  accessLogs: AccessLogs | null,
): Registry {
  const registry = createMetrics({ processMetrics: true });
  const gauge = (name: string, help: string, value: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(value());
    };
    registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
  };
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => Iterable<[string, number]>,
  ): void => {
    const collect = function (this: Counter): void {
      this.reset();
      for (const [key, count] of values()) this.inc({ [label]: key }, count);
    };
    registry.registerMetric(new Counter({ name, help, labelNames: [label], registers: [], collect }));
  };
  counter('tallygate_gate_decisions_total', 'Decisions by billing_gate_reason', 'reason', () => counts);
  gauge('tallygate_gate_feed_up', '1 while the feed is up', () => (client.status().up ? 1 : 0));
  gauge('tallygate_gate_feed_age_seconds', 'Since the feed was last heard of; -1 when it never was', () => {
    const { ageMicros } = client.status();
    return ageMicros === null ? -1 : ageMicros / 1_000_000;
  });
  gauge('tallygate_gate_entries', 'Entries held', () => client.status().entries);
  gauge('tallygate_gate_in_flight', 'Requests that keep a slot', () => client.status().inFlight);
  gauge(
    'tallygate_gate_feed_drifts',
    'Times that the digest was not the service’s',
    () => client.status().drifts,
  );
  counter('tallygate_gate_live_checks_total', 'Questions about unknown keys', 'outcome', () => {
    const { asked, unanswered } = client.status().liveChecks;
    return [
      ['answered', asked - unanswered],
      ['unanswered', unanswered],
    ];
  });
  counter('tallygate_gate_usage_events_total', 'Usage reported, by what became of it', 'outcome', () => {
    const { waiting: _, ...outcomes } = client.status().usage ?? { waiting: 0 };
    return Object.entries(outcomes);
  });
  gauge('tallygate_gate_usage_waiting', 'Usage not yet delivered', () => client.status().usage?.waiting ?? 0);
  if (accessLogs === null) return registry;
  counter('tallygate_gate_access_log_lines_total', 'Lines read, by what became of them', 'outcome', () => {
    const { reported, rejected, unbilled } = accessLogs.counts;
    return Object.entries({ reported, rejected, unbilled });
  });
  gauge(
    'tallygate_gate_access_log_behind_bytes',
    'Of the logs, not read yet',
    () => accessLogs.counts.behindBytes,
  );
  gauge(
    'tallygate_gate_access_log_gaps',
    'Times that a log was gone before it was known to be read to its end',
    () => accessLogs.counts.gaps,
  );
  return registry;
}
