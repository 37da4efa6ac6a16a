import type { SubscribeResponse } from '@tallygate/contracts';
import type { ServerResponse } from 'node:http';
import type { PatientSink } from '../service/feed-service';
import { changeJson } from './wire-json';

/** A server-sent event stream as a sink; the event's id is the token to go on from. */
export class SseSink implements PatientSink {
  constructor(private readonly response: ServerResponse) {}

  send(message: SubscribeResponse): boolean {
    const change = changeJson(message);
    if (change === null || this.response.writableEnded) return true;
    const { event, id, data } = change;
    return this.response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  onReady(resume: () => void): void {
    this.response.on('drain', resume);
  }

  /** Snapshots are not sent here: a token that does not hold is answered with 410. */
  async drained(): Promise<void> {
    return;
  }

  close(): void {
    this.response.end();
  }
}
