import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createGzip } from 'node:zlib';
import { Body, Controller, Get, Headers, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { Clock } from '@tallygate/kernel';
import { Api, OneOfScopes, Operation, Public, ZodBody } from '@tallygate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { positionOf, tokenOf } from '../domain';
import type { Position } from '../domain';
import { wireEntry, wireRef } from '../service/feed-session';
import { FeedHub } from '../service/feed-hub';
import { FeedService } from '../service/feed-service';
import { GateRegistry } from '../service/gate-registry';
import { LongPoll } from '../service/long-poll';
import { FeedGuard, FeedTenant } from './feed-guard';
import { ENTITLEMENT_TAG, FEED, REFUSALS } from './operations';
import { SseSink } from './sse-sink';
import { changeJson, entryJson } from './wire-json';

const LONGEST_WAIT_SECONDS = 60;

const changesQuery = z.object({
  token: z.string().min(1),
  /** Seconds to wait for a change; 0 answers at once. */
  wait: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(0),
  /** Names the gate in the list of gates. */
  gate: z.string().min(1).max(128).default('http'),
});

const ackBody = z.strictObject({
  gate: z.string().min(1).max(128),
  token: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{16}$/),
});

/** The feed for gates that speak HTTP only: the same entries, positions and digests as over gRPC. */
@Api(ENTITLEMENT_TAG)
@Controller('v1/feed')
@Public()
@UseGuards(FeedGuard)
@OneOfScopes('gate')
export class FeedController {
  constructor(
    private readonly feed: FeedService,
    private readonly hub: FeedHub,
    private readonly registry: GateRegistry,
    private readonly polls: LongPoll,
    private readonly clock: Clock,
  ) {}

  /** NDJSON: snapshot_begin, one line per entry, snapshot_end with the position and the digest to check against. */
  @Get('snapshot')
  @Operation(FEED.snapshot)
  async snapshot(
    @FeedTenant() tenantId: string | null,
    @Headers('if-none-match') known: string | undefined,
    @Headers('accept-encoding') encodings: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const etag = `"${tokenOf({ epoch: this.hub.position.epoch, seq: this.hub.headOf(tenantId) })}"`;
    if (known === etag) return void reply.status(304).header('etag', etag).send();
    const gzip = /\bgzip\b/.test(encodings ?? '');
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-cache',
      vary: 'accept-encoding, authorization',
      etag,
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    });
    await this.writeSnapshot(tenantId, reply.raw, gzip);
  }

  /** Server-sent events when asked for by Accept, else a long poll. 410: start anew with a snapshot. */
  @Get('changes')
  @Operation(FEED.changes)
  async changes(
    @FeedTenant() tenantId: string | null,
    @Query(new ZodBody(changesQuery)) query: z.output<typeof changesQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const position = positionOf(query.token);
    if (position === null || this.hub.since(position, tenantId) === null) throw REFUSALS.gone();
    if (/\btext\/event-stream\b/.test(request.headers.accept ?? '')) {
      return this.stream(query.gate, position, tenantId, reply);
    }
    const changes = await this.polls.changes(position, tenantId, query.wait * 1000);
    if (changes === null) throw REFUSALS.gone();
    await reply.send({
      ...changeJson({
        message: 'delta',
        delta: {
          from: query.token,
          to: tokenOf(changes.to),
          upserts: changes.entries.filter((entry) => !entry.removed).map(wireEntry),
          removes: changes.entries.filter((entry) => entry.removed).map(wireRef),
        },
      })?.data,
      digest: changes.digest,
      server_time_micros: this.clock.now(),
    });
  }

  @Post('ack')
  @Operation(FEED.ack)
  @HttpCode(200)
  ack(
    @FeedTenant() tenantId: string | null,
    @Body(new ZodBody(ackBody)) { gate, token, digest }: z.output<typeof ackBody>,
  ) {
    if (!this.registry.ackPolled(tenantId, gate, token, digest)) throw REFUSALS.gone();
    return { gate, token };
  }

  private async stream(
    gate: string,
    position: Position,
    tenantId: string | null,
    reply: FastifyReply,
  ): Promise<void> {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const hello = { gateId: gate, resumeToken: tokenOf(position), digest: '' };
    const open = await this.feed.subscribe(hello, tenantId, new SseSink(raw));
    if (raw.destroyed) open.end();
    else raw.once('close', () => open.end());
  }

  /** A snapshot that breaks off has no last line, which is how its reader knows. */
  private async writeSnapshot(tenantId: string | null, raw: ServerResponse, gzip: boolean): Promise<void> {
    const out = gzip ? createGzip() : raw;
    if (out !== raw) out.pipe(raw);
    const write = async (line: Record<string, unknown>): Promise<void> => {
      if (!out.write(`${JSON.stringify(line)}\n`))
        await Promise.race([once(out, 'drain'), once(raw, 'close')]);
      if (raw.destroyed) throw new Error('The gate is gone');
    };
    await write({ type: 'snapshot_begin' });
    const { position, digest } = await this.feed.snapshot(tenantId, async (entries) => {
      for (const entry of entries) await write({ type: 'entry', ...entryJson(entry) });
    });
    await write({ type: 'snapshot_end', token: tokenOf(position), digest });
    out.end();
  }
}
