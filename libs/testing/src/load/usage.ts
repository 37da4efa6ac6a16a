/** What a load sells: tokens at this price from prepaid credit, and a plan that may start with credit. */
export const PRICE_NANO = 2_000_000n;

const sold = {
  interval: 'month',
  amount: '0',
  features: { completions: {} },
};

/** `rich` customers have credit for any load; `poor` ones have what they are granted or buy. */
export const LOAD_CATALOG = {
  meters: [
    {
      key: 'tokens',
      event_type: 'llm.completion',
      aggregation: 'sum',
      value: '$.tokens',
      group_by: { model: '$.model' },
    },
  ],
  features: [{ key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' }],
  prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' }],
  plans: [
    { key: 'rich', ...sold, grants: [{ unit: 'USD', amount: '1000000000' }] },
    { key: 'poor', ...sold },
  ],
};

export interface Usage {
  readonly source: string;
  readonly id: string;
  /** Key of the customer. */
  readonly subject: string;
  readonly tokens: number;
  /** RFC 3339. */
  readonly time: string;
}

/** A CloudEvent in structured mode. */
export function cloudEvent({ source, id, subject, tokens, time }: Usage): Readonly<Record<string, unknown>> {
  return {
    specversion: '1.0',
    type: 'llm.completion',
    source,
    id,
    subject,
    time,
    data: { tokens: String(tokens), model: 'm1' },
  };
}
