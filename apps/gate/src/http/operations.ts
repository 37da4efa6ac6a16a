import type { IncomingMessage } from 'node:http';
import type { GateClient, HttpAnswer } from '@tallygate/gate-sdk';
import { isUuid, parseInstant } from '@tallygate/kernel';
import { INTERNAL_HEADER, sameSecret, within } from '@tallygate/platform';
import type { Registry } from 'prom-client';
import type { AccessLogs } from '../access-log/access-logs';
import { json, problem } from './answers';
import { readJson } from './read-json';
import { pathOf } from './route';

export interface OperationsParts {
  readonly client: GateClient;
  readonly metrics: Registry;
  readonly accessLogs: AccessLogs | null;
  /** Guards `/internal`, which is not there without it. */
  readonly internalSecret?: string;
}

const JOIN_MS = 5_000;
const DELIVERY_MS = 5_000;

/** What operators and the installation's other services ask the agent. */
export class Operations {
  constructor(private readonly parts: OperationsParts) {}

  async answer(request: IncomingMessage): Promise<HttpAnswer> {
    const path = pathOf(request.url ?? '/');
    switch (path) {
      case '/healthz':
        return json(200, { status: 'ok' });
      case '/readyz':
        return this.readiness();
      case '/state':
        return json(200, this.state());
      case '/metrics':
        return this.metrics();
      default:
        return path.startsWith('/internal/') ? this.internal(path, request) : NOT_FOUND;
    }
  }

  /** Ready once it can decide, be it from a copy: a gate whose service is down must stay in its gateway's pool. */
  private readiness(): HttpAnswer {
    const { up, ageMicros } = this.parts.client.status();
    if (ageMicros !== null) return json(200, { status: 'ready', feed_up: up });
    return json(503, {
      status: 'not_ready',
      missing: [{ name: 'feed', problem: 'nothing was heard of it yet' }],
    });
  }

  private state(): object {
    const { gateId, up, ageMicros, revision, digest, entries, drifts, inFlight, usage } =
      this.parts.client.status();
    return {
      gate: gateId,
      feed_up: up,
      age_seconds: ageMicros === null ? null : ageMicros / 1_000_000,
      revision,
      digest,
      entries,
      drifts,
      in_flight: inFlight,
      usage,
      access_log: this.parts.accessLogs?.counts ?? null,
    };
  }

  private async metrics(): Promise<HttpAnswer> {
    const { metrics } = this.parts;
    return { status: 200, headers: { 'Content-Type': metrics.contentType }, body: await metrics.metrics() };
  }

  private async internal(path: string, request: IncomingMessage): Promise<HttpAnswer> {
    const { internalSecret, client } = this.parts;
    const given = request.headers[INTERNAL_HEADER];
    if (internalSecret === undefined || request.method !== 'POST') return NOT_FOUND;
    if (typeof given !== 'string' || !sameSecret(given, internalSecret)) {
      return problem(401, 'internal_only', 'This route is for the services of this installation');
    }
    switch (path) {
      case '/internal/feed/cut':
        client.cut();
        return json(200, { cut: true });
      case '/internal/feed/join':
        client.join();
        await within(
          JOIN_MS,
          'joining the feed',
          client.until(({ up }) => up),
        ).catch(() => undefined);
        return json(200, { cut: false, feed_up: client.status().up });
      case '/internal/clock/next-due':
        return json(200, { nextDue: null });
      case '/internal/clock/arrive':
        return this.arrive(await readJson(request));
      case '/internal/clock/settle':
        return this.settle(await readJson(request));
      default:
        return NOT_FOUND;
    }
  }

  /** The gate has nothing of its own to do at an instant; it has to know that it came. */
  private async arrive(body: Record<string, unknown> | null): Promise<HttpAnswer> {
    const now = parseInstant(body?.['now']);
    const tenantId = body?.['tenantId'];
    if (!isUuid(tenantId) || !now.ok) return problem(422, 'invalid_request', 'Send tenantId and now');
    this.parts.client.moveClock(tenantId, now.value);
    return json(200, { now: body?.['now'] });
  }

  /** Hands on the usage it has. */
  private async settle(body: Record<string, unknown> | null): Promise<HttpAnswer> {
    const arrived = await this.arrive(body);
    if (arrived.status !== 200) return arrived;
    const { client, accessLogs } = this.parts;
    const delivered = Promise.all([client.usageDelivered(), accessLogs?.drained()]);
    await within(DELIVERY_MS, 'delivering usage', delivered).catch(() => undefined);
    const read = accessLogs?.counts.reported ?? 0;
    return json(200, { activity: (client.status().usage?.accepted ?? 0) + read });
  }
}

const NOT_FOUND = problem(404, 'not_found', 'The gate has no such route');
