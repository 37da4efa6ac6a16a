import { KeyDirectory } from './principal';
import type { Principal } from './principal';

const FOUND_MS = 30_000;
const UNKNOWN_MS = 1_000;
const MOST_KEYS = 10_000;

interface Entry {
  readonly principal: Principal | null;
  readonly until: number;
}

/** Keeps answers for a short time: a revoked key works for at most 30 s more, a new one at once or after 1 s. */
export class CachedKeyDirectory extends KeyDirectory {
  private readonly entries = new Map<string, Entry>();
  private readonly asking = new Map<string, Promise<Principal | null>>();

  constructor(
    private readonly source: KeyDirectory,
    private readonly elapsedMs: () => number = () => performance.now(),
    private readonly most = MOST_KEYS,
  ) {
    super();
  }

  override find(secretHash: string): Promise<Principal | null> {
    const entry = this.entries.get(secretHash);
    if (entry !== undefined && entry.until > this.elapsedMs()) {
      this.keep(secretHash, entry);
      return Promise.resolve(entry.principal);
    }
    return this.asking.get(secretHash) ?? this.ask(secretHash);
  }

  /** Forgets one answer, when the key is known to have changed. */
  forget(secretHash: string): void {
    this.entries.delete(secretHash);
  }

  private ask(secretHash: string): Promise<Principal | null> {
    const question = this.source
      .find(secretHash)
      .then((principal) => {
        this.keep(secretHash, {
          principal,
          until: this.elapsedMs() + (principal === null ? UNKNOWN_MS : FOUND_MS),
        });
        return principal;
      })
      .finally(() => this.asking.delete(secretHash));
    this.asking.set(secretHash, question);
    return question;
  }

  /** The map's front is what was used least recently. */
  private keep(secretHash: string, entry: Entry): void {
    this.entries.delete(secretHash);
    this.entries.set(secretHash, entry);
    if (this.entries.size <= this.most) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
