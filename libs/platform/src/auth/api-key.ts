import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type KeyMode = 'test' | 'live';

/** `tg_test_` or `tg_live_` and 32 random bytes. Only the hash is ever stored. */
export function generateApiKey(mode: KeyMode, random: (bytes: number) => Uint8Array = randomBytes): string {
  return `tg_${mode}_${Buffer.from(random(32)).toString('base64url')}`;
}

/** SHA-256, hex. The keys are random, so no slow hash is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** What a key may be called by in lists and logs. */
export function apiKeyHint(key: string): string {
  return `${key.slice(0, 8)}…${key.slice(-4)}`;
}

/** Spares the directory what cannot be a key. */
export function looksLikeApiKey(text: string): boolean {
  return /^tg_(?:test|live)_[\w-]{20,100}$/.test(text);
}

/** Compares in a time that does not tell how much of a guess was right. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
