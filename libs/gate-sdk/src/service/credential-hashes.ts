import { createHash } from 'node:crypto';

const MOST = 20_000;

/** SHA-256 of credentials, remembered in two generations: hashing costs more than deciding. */
export class CredentialHashes {
  private recent = new Map<string, string>();
  private older = new Map<string, string>();

  of(credential: string): string {
    const known = this.recent.get(credential);
    if (known !== undefined) return known;
    const hash = this.older.get(credential) ?? createHash('sha256').update(credential).digest('hex');
    this.recent.set(credential, hash);
    if (this.recent.size >= MOST) {
      this.older = this.recent;
      this.recent = new Map();
    }
    return hash;
  }
}
