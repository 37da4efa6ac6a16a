import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PayloadHasher } from '../service/ports';

const HEX_OF_128_BITS = 32;

@Injectable()
export class Sha256PayloadHasher extends PayloadHasher {
  override hash(payload: string): string {
    return hash('sha256', payload, 'hex').slice(0, HEX_OF_128_BITS);
  }
}
