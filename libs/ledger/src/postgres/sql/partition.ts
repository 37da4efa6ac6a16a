export const listPartitions = {
  name: 'ledger_list_partitions',
  text: `
select o.topic, o.partition, o.next_offset, o.epoch, o.owner, s.first_offset, s.stopped_at
  from consumer_offset o
  left join partition_stop s on s.topic = o.topic and s.partition = o.partition
 where o.consumer_group = $1 order by o.topic, o.partition`,
};

/** fresh: it was not noted before. */
export const stopPartition = {
  name: 'ledger_stop_partition',
  text: `
insert into partition_stop as s (topic, partition, stored_offset, first_offset, stopped_at)
values ($1, $2, $3, $4, $5::timestamptz)
on conflict (topic, partition) do update
   set stored_offset = excluded.stored_offset, first_offset = excluded.first_offset
returning xmax = 0 as fresh`,
};

export const tenantsTold = { name: 'ledger_tenants_told', text: 'select tenant_id from tenant_facts' };

export const clearStop = {
  name: 'ledger_clear_stop',
  text: 'delete from partition_stop where topic = $1 and partition = $2',
};

/** No row: the partition does not stand still, or its owner is in the middle of a slice. */
export const skipPartition = {
  name: 'ledger_skip_partition',
  text: `
with stopped as (
  delete from partition_stop where topic = $2 and partition = $3 returning stored_offset, first_offset
), moved as (
  update consumer_offset o set next_offset = s.first_offset from stopped s
   where o.consumer_group = $1 and o.topic = $2 and o.partition = $3
  returning s.stored_offset, s.first_offset
)
insert into partition_skip (id, topic, partition, from_offset, to_offset, author, reason, skipped_at)
select $4::uuid, $2, $3, stored_offset, first_offset, $5, $6, $7::timestamptz from moved
returning from_offset, to_offset`,
};
