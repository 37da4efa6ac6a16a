const COLUMNS = 'tenant_id, kind, key, version, seq, payload, removed';

/** What changed after a position, oldest first; a key that changed twice appears once, at its last change. */
export const readEntriesAfter = {
  name: 'entitlement_entries_after',
  text: `select ${COLUMNS} from feed_entry where seq > $1::bigint order by seq limit $2::int`,
};

/** For a cursor: one consistent view of what is not removed. */
export const snapshotOfAll = `select ${COLUMNS} from feed_entry where not removed`;
export const snapshotOfTenant = `${snapshotOfAll} and tenant_id = $1::uuid`;

export const readCredentialKeys = {
  name: 'entitlement_credential_keys',
  text: `
select key from feed_entry
 where tenant_id = $1::uuid and owner_id = $2::uuid and kind = 'credential' and not removed`,
};
