import { sqlMigration } from '@tallygate/platform';

/** What came over HTTP is remembered by its identity, as the ledger does, instead of by the texts it is made of. */
export const eventIdentitiesMigration = sqlMigration(
  'IngestionEventIdentities',
  1_700_000_002_000,
  `
-- The names are those of usageIdentity: the source's length in it counts UTF-16 units, two for what is beyond U+FFFF.
alter table received_event
  drop constraint received_event_pkey,
  alter column event_id type uuid using substring(encode(sha256(convert_to(
    tenant_id::text
    || (char_length(source) + char_length(regexp_replace(source, '[^\\U00010000-\\U0010FFFF]', '', 'g')))::text
    || ':' || source || event_id, 'UTF8')), 'hex') for 32)::uuid,
  alter column payload_hash type uuid using payload_hash::uuid;
alter table received_event rename column event_id to identity;
alter table received_event rename column payload_hash to payload;
alter table received_event
  drop column source,
  drop column received_at,
  add primary key (identity);
drop index received_event_by_end;
`,
);
