import { problem, PublishError } from '@tallygate/platform';

/** Usage that could not be published is not acknowledged: 503, and the same again is safe. */
export async function durable<T>(take: () => Promise<T>): Promise<T> {
  return take().catch((error: unknown) => {
    if (error instanceof PublishError) throw notDurable();
    throw error;
  });
}

function notDurable() {
  return problem(503, 'usage_not_durable', 'Usage cannot be stored now', {
    detail: 'Nothing is lost or counted twice when the same events are sent again.',
    retryable: true,
  });
}
