import { type Answer, callHttp } from './session';
import type { Session } from './session';
import type { GateName } from './stack';

/** What `request` and `preflight` answer beside the HTTP answer of the last request. */
export interface GateAnswer extends Answer {
  readonly reason: string | null;
  readonly count_allowed: number;
  readonly count_denied: number;
  readonly violated: readonly string[];
}

interface RequestFields {
  readonly customer?: string;
  readonly subject?: string;
  readonly api_key?: string;
  readonly feature?: string;
  readonly features?: readonly string[];
  readonly units?: string;
  readonly max_price?: string;
  readonly count?: number;
  readonly open?: string;
  readonly gate?: GateName;
}

/** Sends a consumer's requests to a gateway, one after another. */
export async function sendRequests(
  session: Session,
  fields: RequestFields,
  profile: 'request' | 'preflight',
): Promise<GateAnswer> {
  const gate = fields.gate ?? 'agent';
  const base = await session.stack.gateway(gate);
  const url =
    gate === 'agent' ? `${base}/${profile === 'preflight' ? 'preflight' : 'authorize'}` : `${base}/`;
  const headers = requestHeaders(session, fields, profile);
  let allowed = 0;
  let last: Answer | null = null;
  const count = fields.count ?? 1;
  for (let sent = 0; sent < count; sent += 1) {
    last = await callHttp(url, { headers });
    if (last.status < 400) allowed += 1;
  }
  if (fields.open && last!.status < 400)
    session.open.set(fields.open, last!.headers['billing-gate-decision'] ?? '');
  return { ...last!, ...verdict(last!), count_allowed: allowed, count_denied: count - allowed };
}

function requestHeaders(session: Session, fields: RequestFields, profile: string): Record<string, string> {
  const headers: Record<string, string> = { 'x-tallygate-tenant': session.tenantId };
  const credential = credentialOf(session, fields);
  if (credential) headers['authorization'] = `Bearer ${credential}`;
  if (fields.subject) headers['x-tallygate-subject'] = fields.subject;
  const features = fields.features ?? (fields.feature ? [fields.feature] : []);
  if (features.length > 0) headers['x-tallygate-feature'] = features.join(',');
  if (fields.units) headers['x-tallygate-units'] = fields.units;
  if (fields.max_price) headers['x-tallygate-max-price'] = fields.max_price;
  if (fields.open) headers['x-tallygate-open'] = fields.open;
  if (profile === 'preflight') headers['x-tallygate-preflight'] = 'true';
  return headers;
}

function credentialOf(session: Session, fields: RequestFields): string | undefined {
  if (fields.api_key !== undefined) return fields.api_key;
  return fields.customer === undefined ? undefined : session.credentials.get(fields.customer);
}

function verdict(answer: Answer): Pick<GateAnswer, 'reason' | 'violated'> {
  const listed = answer.body?.['violated'];
  const violated = Array.isArray(listed) ? listed.map((item: unknown) => featureOf(item)) : [];
  const reason =
    answer.headers['billing-gate-reason'] ?? (answer.body?.['billing_gate_reason'] as string | undefined);
  return { reason: reason ?? null, violated };
}

const featureOf = (item: unknown): string =>
  typeof item === 'string' ? item : String((item as { feature?: unknown }).feature);

/** Ends a request that `open` left in flight. */
export async function finishRequest(session: Session, name: string): Promise<Answer> {
  const decision = session.open.get(name);
  const url = `${session.stack.agentUrl}/finish`;
  session.open.delete(name);
  return callHttp(url, {
    method: 'POST',
    body: { open: name, decision: decision ?? null },
    headers: { 'x-tallygate-tenant': session.tenantId },
  });
}
