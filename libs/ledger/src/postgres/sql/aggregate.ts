import type { Meter } from '@tallygate/contracts';

/** An average is rounded half away from zero to 10⁻⁹, which is what numeric(38,9) does; the others are exact. */
export const AGGREGATES: Readonly<Record<Meter['aggregation'], string>> = {
  count: 'coalesce(sum(quantity), 0)',
  sum: 'coalesce(sum(quantity), 0)',
  min: 'min(quantity)',
  max: 'max(quantity)',
  avg: 'avg(quantity)',
  latest: '(array_agg(quantity order by occurred_at desc, slice_id desc, position desc))[1]',
  unique_count: 'count(distinct value)',
};
