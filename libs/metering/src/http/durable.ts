import { PublishError } from '@tallygate/platform';
import { notDurable } from './acceptance-answer';

/** Usage that could not be published is not acknowledged: 503, and the same again is safe. */
export async function durable<T>(take: () => Promise<T>): Promise<T> {
  return take().catch((error: unknown) => {
    if (error instanceof PublishError) throw notDurable();
    throw error;
  });
}
