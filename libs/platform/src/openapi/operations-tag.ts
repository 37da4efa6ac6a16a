import type { ApiTag } from './operation';

export const OPERATIONS_TAG: ApiTag = {
  name: 'operations',
  description: 'What orchestrators, Prometheus and readers of this document ask of every service.',
};
