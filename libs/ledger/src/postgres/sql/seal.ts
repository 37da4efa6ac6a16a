/**
 * The binary form of a record says the type and length of each of its values, so that no two rows look alike, and it
 * depends on no setting of the session. A column that is added to the journal is added here with a new form of seal.
 */
export const SEALED_COLUMNS = {
  identity: ['wallet_id', 'version', 'tenant_id'],
  amounts: ['free', 'held', 'debt', 'contra'],
  times: ['kind', 'posted_at', 'effective_at'],
  references: ['lot_id', 'debt_id', 'feature', 'reference', 'slice_id'],
} as const;

const recordOf = (columns: readonly string[]): string =>
  `record_send(row(${columns.map((column) => `j.${column}`).join(', ')}))`;
const mark = (columns: readonly string[]): string => `substring(sha256(${recordOf(columns)}) for 4)`;

const { identity, amounts, times, references } = SEALED_COLUMNS;
const ROW_HASH = `sha256(${recordOf([...identity, ...amounts, ...times, ...references])})`;
const ROW_MARKS = `${mark(amounts)} || ${mark(times)} || ${mark([...identity, ...references])}`;
const DIGEST = `sha256(coalesce(string_agg(${ROW_HASH}, '' order by j.version), ''))`;

const partContent = (part: string): string =>
  `sha256(coalesce(string_agg(record_send(row(${[
    'wallet_id',
    'first_version',
    'last_version',
    'digest',
    'marks',
  ]
    .map((column) => `${part}.${column}`)
    .join(', ')})), '' order by ${part}.wallet_id), ''))`;
const sealHash = (seal: string): string =>
  `sha256(record_send(row(${['tenant_id', 'seq', 'previous', 'parts', 'rows', 'content', 'sealed_at']
    .map((column) => `${seal}.${column}`)
    .join(', ')})))`;

/** One sealer at a time in a database; no row: another one is at work. */
export const tryToSeal = {
  name: 'ledger_try_to_seal',
  text: `select 1 from (select pg_try_advisory_xact_lock(hashtextextended('tallygate journal seals', 0)) as mine) l where mine`,
};

/**
 * Looks at $2 wallets after wallet $1 and seals up to $3 of their rows that no seal covers. A wallet's version and the
 * rows up to it commit together and without a gap, so each wallet is sealed up to the version that this statement sees,
 * whatever else is being written: nothing that commits later can come before it. Wallets whose rows are not all there
 * are not sealed and come back as broken.
 */
export const sealJournal = {
  name: 'ledger_seal_journal',
  text: `
with scanned as materialized (
  select w.id, w.tenant_id, w.version,
         coalesce((select p.last_version from journal_seal_part p
                    where p.wallet_id = w.id order by p.last_version desc limit 1), 0) as sealed
    from wallet w where w.id > $1::bigint order by w.id limit $2::integer
), behind as (
  select id, tenant_id, sealed, version, sum(version - sealed) over (order by id) - (version - sealed) as before
    from scanned where version > sealed
), due as materialized (
  select id, tenant_id, sealed, least(version, sealed + ($3::bigint - before))::bigint as upto
    from behind where before < $3::bigint
), content as (
  select d.id as wallet_id, d.tenant_id, d.sealed + 1 as first_version, d.upto as last_version, count(*) as rows,
         ${DIGEST} as digest, string_agg(${ROW_MARKS}, '' order by j.version) as marks
    from due d
    join journal j on j.wallet_id = d.id and j.version > d.sealed and j.version <= d.upto and j.tenant_id = d.tenant_id
   group by d.id, d.tenant_id, d.sealed, d.upto
), part as (
  select * from content where rows = last_version - first_version + 1
), link as (
  select t.*, coalesce(l.seq, 0) + 1 as seq, coalesce(l.hash, '') as previous, $4::timestamptz as sealed_at
    from (select p.tenant_id, count(*)::integer as parts, sum(p.rows)::bigint as rows, ${partContent('p')} as content
            from part p group by p.tenant_id) t
    left join lateral (select s.seq, s.hash from journal_seal s
                        where s.tenant_id = t.tenant_id order by s.seq desc limit 1) l on true
), sealed as (
  insert into journal_seal (tenant_id, seq, previous, parts, rows, content, hash, sealed_at)
  select s.tenant_id, s.seq, s.previous, s.parts, s.rows, s.content, ${sealHash('s')}, s.sealed_at from link s
  returning tenant_id, seq
), covered as (
  insert into journal_seal_part (tenant_id, seq, wallet_id, first_version, last_version, digest, marks)
  select s.tenant_id, s.seq, p.wallet_id, p.first_version, p.last_version, p.digest, p.marks
    from part p join sealed s on s.tenant_id = p.tenant_id
)
select (select count(*) from scanned)::integer as scanned,
       (select max(id) from scanned) as last_scanned,
       (select max(id) from due) as last_due,
       (select count(*) from due) < (select count(*) from behind) as more_due,
       coalesce((select sum(rows) from part), 0)::bigint as rows,
       (select array_agg(d.id) from due d left join part p on p.wallet_id = d.id where p.wallet_id is null) as broken`,
};

/** The first link of a tenant's chain that is not what it was; no row: all of them are. */
export const firstBadSeal = {
  name: 'ledger_first_bad_seal',
  text: `
select s.seq, case
         when s.seq <> s.place then 'the seal before it is gone'
         when s.previous <> coalesce(s.hash_before, '') then 'it does not continue the seal before it'
         when s.hash <> s.hash_found then 'it was changed itself'
         else 'what it says of its rows was changed, or is gone' end as differs
  from (select s.seq, s.previous, s.hash, s.content, row_number() over (order by s.seq) as place,
               lag(s.hash) over (order by s.seq) as hash_before, ${sealHash('s')} as hash_found,
               (select ${partContent('p')} from journal_seal_part p
                 where p.tenant_id = s.tenant_id and p.seq = s.seq) as content_found
          from journal_seal s where s.tenant_id = $1::uuid) s
 where s.seq <> s.place or s.previous <> coalesce(s.hash_before, '') or s.hash <> s.hash_found
    or s.content <> s.content_found
 order by s.seq limit 1`,
};

export const lastSeal = {
  name: 'ledger_last_seal',
  text: `
select seq, encode(hash, 'hex') as hash, sealed_at from journal_seal
 where tenant_id = $1::uuid and ($2::bigint is null or seq = $2::bigint) order by seq desc limit 1`,
};

/**
 * Recomputes what $3 wallets of a tenant after wallet $2 should be, from their rows. suspect_*: the first stretch of
 * versions that is not as it was sealed, or not whole behind the last seal.
 */
export const checkWallets = {
  name: 'ledger_check_wallets',
  text: `
with looked as materialized (
  select id, version from wallet where tenant_id = $1::uuid and id > $2::bigint order by id limit $3::integer
), part as materialized (
  select p.wallet_id, p.first_version, p.last_version, p.digest,
         lag(p.last_version, 1, 0::bigint) over (partition by p.wallet_id order by p.last_version) as before
    from looked l join journal_seal_part p on p.wallet_id = l.id and p.tenant_id = $1::uuid
), checked as (
  select p.wallet_id, p.first_version, p.last_version, count(j.version) as rows,
         p.first_version <> p.before + 1 or p.digest <> ${DIGEST} as bad
    from part p
    left join journal j on j.wallet_id = p.wallet_id and j.version between p.first_version and p.last_version
   group by p.wallet_id, p.first_version, p.last_version, p.before, p.digest
), tail as (
  select l.id as wallet_id, l.version, coalesce(s.sealed, 0) as sealed, count(j.version) as rows,
         max(j.version) as found, bool_or(j.free + j.held - j.debt + j.contra <> 0 or j.tenant_id <> $1::uuid) as uneven
    from looked l
    left join (select wallet_id, max(last_version) as sealed from part group by wallet_id) s on s.wallet_id = l.id
    left join journal j on j.wallet_id = l.id and (j.version > coalesce(s.sealed, 0) or j.version < 1)
   group by l.id, l.version, s.sealed
), suspect as (
  select wallet_id, first_version, last_version, true as sealed from checked where bad
  union all
  select wallet_id, sealed + 1, greatest(version, found), false from tail
   where rows <> version - sealed or coalesce(found, sealed) <> version or uneven
)
select (select count(*) from looked)::integer as looked, (select max(id) from looked) as last,
       coalesce((select sum(rows) from checked), 0)::bigint as sealed_rows,
       coalesce((select sum(rows) from tail), 0)::bigint as open_rows,
       s.wallet_id as suspect_wallet, s.first_version as suspect_first, s.last_version as suspect_last,
       s.sealed as suspect_sealed
  from (select) one left join (select * from suspect order by wallet_id, first_version limit 1) s on true`,
};

/** The first row of a sealed stretch that differs from its mark, and in what; null version: the mark was changed. */
export const firstBadRow = {
  name: 'ledger_first_bad_row',
  text: `
select v.version, case
         when j.version is null then 'the row is gone'
         else concat_ws(', ', case when v.amounts <> ${mark(amounts)} then 'its amounts' end,
                              case when v.times <> ${mark(times)} then 'its kind or times' end,
                              case when v.links <> ${mark([...identity, ...references])} then 'what it refers to' end)
              || ' differ from what was sealed' end as differs
  from (select g.version, substring(p.marks from g.place * 12 - 11 for 4) as amounts,
               substring(p.marks from g.place * 12 - 7 for 4) as times,
               substring(p.marks from g.place * 12 - 3 for 4) as links
          from journal_seal_part p
          cross join generate_series(p.first_version, p.last_version) with ordinality as g (version, place)
         where p.wallet_id = $1::bigint and p.first_version = $2::bigint and p.last_version = $3::bigint) v
  left join journal j on j.wallet_id = $1::bigint and j.version = v.version
 where j.version is null
    or v.amounts <> ${mark(amounts)} or v.times <> ${mark(times)} or v.links <> ${mark([...identity, ...references])}
 order by v.version limit 1`.replaceAll('g.place * 12', '(g.place * 12)::integer'),
};

/** The first version behind the last seal ($2 is the one after it) that is missing, is one too many or does not balance. */
export const firstBadOpenRow = {
  name: 'ledger_first_bad_open_row',
  text: `
select version, differs from (
  select v.version, case when j.version is null then 'the row is gone' else 'its amounts do not sum to zero' end as differs
    from wallet w cross join generate_series($2::bigint, w.version) as v (version)
    left join journal j on j.wallet_id = w.id and j.version = v.version
   where w.id = $1::bigint and (j.version is null or j.free + j.held - j.debt + j.contra <> 0)
  union all
  select j.version, case when j.tenant_id <> w.tenant_id then 'it names another tenant'
                         else 'the row was inserted: its wallet has no such version' end
    from wallet w join journal j on j.wallet_id = w.id
   where w.id = $1::bigint and (j.version > w.version or j.version < 1 or (j.version >= $2::bigint and j.tenant_id <> w.tenant_id))
) bad order by version limit 1`,
};

/** Rows and seals of a wallet that is not there. */
export const orphan = {
  name: 'ledger_orphan_row',
  text: `
select j.wallet_id, j.version, 'its wallet is gone' as differs from journal j
 where j.tenant_id = $1::uuid and not exists (select from wallet w where w.id = j.wallet_id)
union all
select p.wallet_id, p.first_version, 'its wallet and its row are gone' from journal_seal_part p
 where p.tenant_id = $1::uuid and not exists (select from wallet w where w.id = p.wallet_id)
 order by 1, 2 limit 1`,
};

export const journalTenants = {
  name: 'ledger_journal_tenants',
  text: `select tenant_id from wallet union select tenant_id from journal_seal order by 1`,
};

export const walletOwner = {
  name: 'ledger_wallet_owner',
  text: `
select w.unit, c.facts->>'key' as customer from wallet w
  left join customer_facts c on c.tenant_id = w.tenant_id and c.customer_id = w.customer_id
 where w.id = $1::bigint`,
};
