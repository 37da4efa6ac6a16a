/**
 * A line of a gateway's access log that is usage: a CloudEvent 1.0 on one line, as `infra/gateways` has nginx and Envoy
 * write it. Log formats know no conditions, so it differs from other events in two ways: an empty text in `data` stands
 * for what was not there, and `subject` is percent-encoded where it is not plain ASCII. `tenant` names the tenant, for
 * senders that can set no header beside the message.
 */
export interface AccessLine {
  readonly [name: string]: unknown;
  readonly accesslog: '1';
}

/** Whose usage a line is, as far as a reader of the log must know. */
export interface AccessLineOwner {
  /** Null where the line leaves it out. */
  readonly tenant: string | null;
  /** Empty: nobody is billed for the request, a refused one for instance. */
  readonly subject: string;
}

export function isAccessLine(json: unknown): json is AccessLine {
  return typeof json === 'object' && json !== null && (json as AccessLine).accesslog === '1';
}

export function ownerOf({ tenant, subject }: AccessLine): AccessLineOwner {
  return {
    tenant: typeof tenant === 'string' && tenant !== '' ? tenant.toLowerCase() : null,
    subject: typeof subject === 'string' ? subject : '',
  };
}

/** The event that a line means. What is wrong with it stays wrong, for whoever validates events. */
export function eventOfLine(line: AccessLine): Readonly<Record<string, unknown>> {
  const { accesslog: _, tenant: __, subject, data, time, ...rest } = line;
  return {
    ...rest,
    ...(time === '' ? {} : { time }),
    subject: typeof subject === 'string' ? decodedText(subject) : subject,
    data: isObject(data) ? withoutGaps(data) : data,
  };
}

/** How a gate writes a subject where only plain ASCII passes. */
export function encodedText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(NOT_PLAIN, encodeURIComponent);
}

/** Visible ASCII without `%`, `"` and `\`, which log formats escape. */
const PLAIN = /^[!#$&-[\]-~]*$/;
const NOT_PLAIN = /[^!#$&-[\]-~]+/g;

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutGaps(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== '' && value !== null));
}
