import fc from 'fast-check';
import { linesOf } from './lines';

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('lines of a stream', () => {
  it('are the same however the stream is cut, without a last one that does not end', async () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n\uFEFF]/g, ''));
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), line, sizes, async (whole, torn, cuts) => {
        const text = whole.map((each) => `${each}\n`).join('') + torn;
        const found: string[] = [];
        for await (const each of linesOf(chunked(new TextEncoder().encode(text), cuts))) found.push(each);
        expect(found).toEqual(whole);
      }),
    );
  });
});
