import fc from 'fast-check';
import { LONGEST_LINE, linesIn } from './line-chunk';

/** Reads a text in pieces that end where `ends` says, as a reader does that sees a file grow. */
function readGrowing(text: Buffer, ends: readonly number[]): { texts: string[]; end: number } {
  const texts: string[] = [];
  let state = { end: 0, inLongLine: false };
  for (const end of [...ends, text.length].sort((a, b) => a - b)) {
    const chunk = linesIn(text.subarray(state.end, end), state.end, state.inLongLine);
    texts.push(...chunk.lines.map(({ text: line }) => line));
    state = chunk;
  }
  return { texts, end: state.end };
}

const line = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\r\n]/.test(text));

describe('lines of a file that grows', () => {
  it('come once, in order, wherever the reader looked; a last one without its end waits', () => {
    const ends = fc.array(fc.nat(600), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), line, ends, (lines, partial, cuts) => {
        const whole = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        const text = Buffer.concat([whole, Buffer.from(partial)]);
        const read = readGrowing(
          text,
          cuts.map((cut) => Math.min(cut, text.length)),
        );
        expect(read).toEqual({ texts: lines.filter((each) => each !== ''), end: whole.length });
      }),
    );
  });

  it('may be too long: the beginning is shown, once, and the next line is read', () => {
    const text = Buffer.from(`a\n${'x'.repeat(3 * LONGEST_LINE)}\nb\n`);
    const { texts } = readGrowing(text, [LONGEST_LINE, 2 * LONGEST_LINE]);
    expect(texts.map((each) => each.slice(0, 1))).toEqual(['a', 'x', 'b']);
    expect(texts[1]).toHaveLength(1024);
    expect(linesIn(text, 0, false).lines.map(({ offset, cut }) => [offset, cut])).toEqual([
      [0, false],
      [2, true],
      [3 * LONGEST_LINE + 3, false],
    ]);
  });

  it('end with CR LF too, and never fail to decode', () => {
    expect(linesIn(Buffer.from([0x61, 0x0d, 0x0a, 0xff, 0x0a]), 0, false).lines).toEqual([
      { offset: 0, text: 'a', cut: false },
      { offset: 3, text: '\ufffd', cut: false },
    ]);
  });
});
