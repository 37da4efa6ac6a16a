/** How far a file was read, and by what it is known again: its inode, and how it begins. */
export interface FollowedFile {
  readonly inode: string;
  readonly offset: number;
  /** SHA-256 of the first `headLength` bytes, which were read: a file of another content is another file. */
  readonly headLength: number;
  readonly head: string;
  readonly inLongLine: boolean;
  /** When it was last seen it was the log itself, or had lines that were not read yet. */
  readonly open: boolean;
}

/** A file in the log's folder: the log, or one that rotation left behind. */
export interface SeenFile {
  readonly path: string;
  readonly inode: string;
  readonly size: number;
  readonly current: boolean;
}

export const HEAD_BYTES = 1024;

/** A seen file and where to go on in it. Null: the copy of a file that is still being made. */
export interface Matched {
  readonly file: SeenFile;
  readonly from: FollowedFile | null;
}

/**
 * Recognises what rotation did to the files followed before: renamed, the same inode elsewhere; copied and truncated,
 * the same beginning in another inode, where the rest is read, and the old inode begins anew. An inode that the system
 * gave to another file is told by its beginning too.
 * @param headOf digest of the first bytes of a seen file
 */
export function match(
  seen: readonly SeenFile[],
  followed: readonly FollowedFile[],
  headOf: (file: SeenFile, length: number) => string,
): readonly Matched[] {
  const isIt = (file: SeenFile, known: FollowedFile): boolean =>
    file.size >= known.headLength && headOf(file, known.headLength) === known.head;
  return seen.map((file) => {
    const same = followed.find(({ inode }) => inode === file.inode);
    if (same !== undefined && file.size >= same.offset && isIt(file, same))
      return { file, from: { ...same, open: isOpen(file, same.offset) } };
    const copied = file.current
      ? undefined
      : followed.find((known) => known.headLength > 0 && isIt(file, known));
    if (copied === undefined) return { file, from: beginning(file) };
    if (file.size < copied.offset) return { file, from: null };
    return { file, from: { ...copied, inode: file.inode, open: isOpen(file, copied.offset) } };
  });
}

function isOpen({ current, size }: SeenFile, offset: number): boolean {
  return current || offset < size;
}

/** Empty files are all alike: the digest of nothing. */
function beginning(file: SeenFile): FollowedFile {
  return { inode: file.inode, offset: 0, headLength: 0, head: '', inLongLine: false, open: isOpen(file, 0) };
}
