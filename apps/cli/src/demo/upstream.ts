import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The provider's own API, which knows nothing of billing: every call is answered, and says how many tokens it took. */
export interface Upstream {
  readonly url: string;
  close(): Promise<void>;
}

const TOKENS_PER_CALL = 100;

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-tokens': String(TOKENS_PER_CALL),
      'x-model': 'm1',
    });
    response.end(JSON.stringify({ text: 'Hello from the API behind the gate.', tokens: TOKENS_PER_CALL }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
