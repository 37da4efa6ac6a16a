import { linesOf } from '../domain/lines';

/** Lines of a response, as they come. */
export function readLines({ body }: Response): AsyncIterable<string> {
  return linesOf(body === null ? nothing() : (body as unknown as AsyncIterable<Uint8Array>));
}

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Server-sent events of a response; comments and unknown fields are skipped, as the standard says. */
export async function* readEvents(response: Response): AsyncGenerator<ServerSentEvent> {
  let event = 'message';
  let data: string[] = [];
  for await (const line of readLines(response)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') };
      event = 'message';
      data = [];
      continue;
    }
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event = value ?? '';
    if (field === 'data') data.push(value ?? '');
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
