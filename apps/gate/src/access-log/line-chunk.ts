/** One line with its place in the file. */
export interface PlacedLine {
  readonly offset: number;
  readonly text: string;
  /** Longer than a line may be: `text` is its beginning. */
  readonly cut: boolean;
}

export interface LineChunk {
  readonly lines: readonly PlacedLine[];
  /** Up to where the file was used. */
  readonly end: number;
  /** In the middle of a line that is too long: what follows belongs to it, up to its end. */
  readonly inLongLine: boolean;
}

export const LONGEST_LINE = 64 * 1024;
const SHOWN_OF_LONG = 1024;
const NEWLINE = 10;
const RETURN = 13;

/**
 * The whole lines of what was read from `start` on. A last line without its end is left for the next time, unless it is
 * too long already. Bytes that are not UTF-8 become U+FFFD, so that nothing a client sends makes its line unreadable.
 */
export function linesIn(bytes: Buffer, start: number, inLongLine: boolean): LineChunk {
  const lines: PlacedLine[] = [];
  let at = 0;
  let skipping = inLongLine;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
    if (!skipping && end > at) lines.push(lineOf(bytes, at, end, start));
    skipping = false;
    at = end + 1;
  }
  if (!skipping && bytes.length - at <= LONGEST_LINE) return { lines, end: start + at, inLongLine: false };
  if (!skipping) lines.push(lineOf(bytes, at, bytes.length, start));
  return { lines, end: start + bytes.length, inLongLine: true };
}

function lineOf(bytes: Buffer, from: number, to: number, start: number): PlacedLine {
  const cut = to - from > LONGEST_LINE;
  const end = cut ? from + SHOWN_OF_LONG : to - (bytes[to - 1] === RETURN ? 1 : 0);
  return { offset: start + from, text: bytes.toString('utf8', from, end), cut };
}
