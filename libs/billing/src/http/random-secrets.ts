import { randomBytes } from 'node:crypto';
import { generateApiKey, hashApiKey } from '@tallygate/platform';
import { Secrets } from '../service/ports';

/** Keys of 256 random bits. */
export class RandomSecrets extends Secrets {
  override create(prefix: string): string {
    if (prefix === 'tg_test') return generateApiKey('test');
    if (prefix === 'tg_live') return generateApiKey('live');
    return `${prefix}_${randomBytes(32).toString('base64url')}`;
  }

  override hash(secret: string): string {
    return hashApiKey(secret);
  }
}
