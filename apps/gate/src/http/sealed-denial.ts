import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpAnswer } from '@tallygate/gate-sdk';

/**
 * nginx can only be told yes or no: a denial travels through it as a sealed header, from which `/deny` answers exactly
 * what `/authorize` would have, on any gate of the installation, without remembering anything.
 */
export class SealedDenials {
  private readonly key: Buffer;

  constructor(secret: string) {
    this.key = createHmac('sha256', secret).update('tallygate gate denial').digest();
  }

  seal({ status, headers, body }: HttpAnswer): string {
    const content = Buffer.from(JSON.stringify([status, headers, body])).toString('base64url');
    return `${content}.${this.mac(content)}`;
  }

  /** Null for anything that was not sealed here. */
  open(sealed: string): HttpAnswer | null {
    const [content = '', mac = ''] = sealed.split('.');
    const [given, expected] = [Buffer.from(mac), Buffer.from(this.mac(content))];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [status, headers, body] = JSON.parse(Buffer.from(content, 'base64url').toString()) as [
      number,
      Record<string, string>,
      string,
    ];
    return { status, headers, body };
  }

  private mac(content: string): string {
    return createHmac('sha256', this.key).update(content).digest('base64url');
  }
}
