import { createHash } from 'node:crypto';
import { CredentialPlace } from '@tallygate/decision';
import type { Identity } from '@tallygate/decision';

const MOST = 20_000;

/**
 * Who sends a credential, by its SHA-256. Remembered in two generations, by the text it came in: hashing costs more than
 * deciding does.
 */
export class CredentialIdentities {
  private recent = new Map<string, Identity>();
  private older = new Map<string, Identity>();

  of(credential: string): Identity {
    return this.remembered(credential) ?? this.remember(credential, credential);
  }

  /** Of a whole `Authorization` header; another scheme than Bearer is no credential of ours. */
  ofAuthorization(header: string): Identity | null {
    const known = this.remembered(header);
    if (known !== undefined) return known;
    const credential = /^bearer (.*)$/i.exec(header)?.[1]?.trim() ?? '';
    return credential === '' ? null : this.remember(header, credential);
  }

  private remembered(text: string): Identity | undefined {
    const known = this.recent.get(text);
    if (known !== undefined) return known;
    const older = this.older.get(text);
    if (older !== undefined) this.keep(text, older);
    return older;
  }

  private remember(text: string, credential: string): Identity {
    const hash = createHash('sha256').update(credential).digest('hex');
    return this.keep(text, { kind: 'credential', hash, place: new CredentialPlace() });
  }

  private keep(text: string, identity: Identity): Identity {
    this.recent.set(text, identity);
    if (this.recent.size >= MOST) {
      this.older = this.recent;
      this.recent = new Map();
    }
    return identity;
  }
}
