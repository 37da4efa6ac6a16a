import { fault } from './fault';
import type { Fault } from './fault';

/** Longest attribute, group or counted value, in UTF-16 units. */
export const LONGEST_TEXT = 255;

/** Control characters (CloudEvents forbids them, PostgreSQL cannot keep U+0000) and halves of surrogate pairs. */
const UNFIT = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u;

/** What is wrong with a text that names something; null when nothing is. */
export function textFault(field: string, value: unknown): Fault | null {
  if (value === undefined || value === null)
    return fault(field, value, 'is required', `Send ${field} as a text of 1 to ${LONGEST_TEXT} characters.`);
  if (typeof value !== 'string')
    return fault(
      field,
      value,
      'is not a text',
      `Send ${field} as a text of 1 to ${LONGEST_TEXT} characters.`,
    );
  if (value === '')
    return fault(field, value, 'is empty', `Send ${field} as a text of 1 to ${LONGEST_TEXT} characters.`);
  if (value.length > LONGEST_TEXT)
    return fault(field, value, `is longer than ${LONGEST_TEXT} characters`, 'Send a shorter text.');
  if (UNFIT.test(value))
    return fault(
      field,
      value,
      'has control characters or half a surrogate pair',
      'Send printable characters only.',
    );
  return null;
}
