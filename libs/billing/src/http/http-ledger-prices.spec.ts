import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PriceAnswer } from '@tallygate/contracts';
import { HttpLedgerPrices } from './http-ledger-prices';

const ANNOUNCEMENT = { id: 'a1', tenantId: 't1', revision: 2, rows: [] };
const internalSecret = 'secret between services';

/** A ledger that answers as it is told, and keeps what it was asked. */
class Ledger {
  readonly asked: string[] = [];
  answer: PriceAnswer = { outcome: 'announced' };
  private readonly server: Server = createServer((request, response) => {
    this.asked.push(`${request.url} ${request.headers['x-tallygate-internal']}`);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(this.answer));
  });

  async open(): Promise<HttpLedgerPrices> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return new HttpLedgerPrices({ ledgerUrl: `http://127.0.0.1:${port}`, internalSecret });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let ledger: Ledger;
let prices: HttpLedgerPrices;
let worked: number;
const work = (stated: boolean) => () => {
  worked += 1;
  return Promise.resolve({ stated, value: 'done' });
};

beforeEach(async () => {
  ledger = new Ledger();
  prices = await ledger.open();
  worked = 0;
});
afterEach(() => ledger.close());

it('announces, works, and leaves what was stated to the catalog', async () => {
  expect(await prices.announced(ANNOUNCEMENT, work(true))).toEqual({ outcome: 'worked', value: 'done' });
  expect(ledger.asked).toEqual([`/internal/prices/announce ${internalSecret}`]);
});

it('withdraws what was not stated', async () => {
  await prices.announced(ANNOUNCEMENT, work(false));
  expect(ledger.asked.map((one) => one.split(' ')[0])).toEqual([
    '/internal/prices/announce',
    '/internal/prices/withdraw',
  ]);
});

it('does not work on what the ledger refuses', async () => {
  ledger.answer = { outcome: 'refused', rated: [] };
  expect(await prices.announced(ANNOUNCEMENT, work(true))).toEqual(ledger.answer);
  expect(worked).toBe(0);
});

it('says that the ledger cannot be reached, and does not work', async () => {
  await ledger.close();
  expect(await prices.announced(ANNOUNCEMENT, work(true))).toEqual({ outcome: 'unreachable' });
  expect(worked).toBe(0);
  ledger = new Ledger();
  prices = await ledger.open();
});
