import type { SubscribeResponse, WireEntry, WireEntryRef } from '@tallygate/contracts';

/** Entries and messages as the HTTP twins write them: snake_case, the payload as JSON and not as a text of it. */
export function entryJson(entry: WireEntry): Record<string, unknown> {
  return { ...refJson(entry), payload: JSON.parse(entry.payload) as unknown };
}

export function refJson({ tenantId, kind, key, version }: WireEntryRef): Record<string, unknown> {
  return { tenant_id: tenantId, kind, key, version };
}

/** Null for what has no place in a stream of changes. */
export function changeJson(
  message: SubscribeResponse,
): { readonly event: string; readonly id: string; readonly data: Record<string, unknown> } | null {
  switch (message.message) {
    case 'delta': {
      const { from, to, upserts, removes } = message.delta;
      const data = { from, to, upserts: upserts.map(entryJson), removes: removes.map(refJson) };
      return { event: 'delta', id: to, data };
    }
    case 'bookmark': {
      const { token, digest, serverTimeMicros } = message.bookmark;
      const data = { token, digest: digest === '' ? null : digest, server_time_micros: serverTimeMicros };
      return { event: 'bookmark', id: token, data };
    }
    default:
      return null;
  }
}
