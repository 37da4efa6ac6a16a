import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { CUSTOMERS, requestOf } from './asked';

const CONNECTIONS = 64;
const END = Buffer.from('\r\n\r\n');
const OK = Buffer.from('HTTP/1.1 200 ');
const REQUESTS = Array.from({ length: CUSTOMERS }, (_, n) => requestOf(n));

export interface Load {
  readonly requests: number;
  readonly seconds: number;
}

/**
 * Kept connections, one request at a time on each. Written on sockets, since node's own client costs more than the
 * servers compared; an answer without a body ends where its headers do. Any answer but 200 ends the run.
 */
export async function load(url: string, seconds: number): Promise<Load> {
  const { hostname, port } = new URL(url);
  const started = performance.now();
  const end = started + seconds * 1_000;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, at) => drive(connect(Number(port), hostname), at * 151, end)),
  );
  const requests = counts.reduce((sum, count) => sum + count, 0);
  return { requests, seconds: (performance.now() - started) / 1_000 };
}

function drive(socket: Socket, first: number, end: number): Promise<number> {
  socket.setNoDelay(true);
  let next = first;
  let answered = 0;
  const send = (): void => void socket.write(REQUESTS[next++ % CUSTOMERS] as Buffer);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', send);
    socket.on('data', (chunk) => {
      if (!chunk.subarray(0, OK.length).equals(OK)) {
        socket.destroy();
        return reject(new Error(`answered ${chunk.toString('latin1').slice(0, 200)}`));
      }
      if (!chunk.subarray(-END.length).equals(END)) return;
      answered += 1;
      if (performance.now() < end) return send();
      socket.destroy();
      resolve(answered);
    });
  });
}
