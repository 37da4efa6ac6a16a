import { Injectable } from '@nestjs/common';
import type { Meter } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant, texts } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { MeterHistory } from '../service/meter-history';
import type { MeterVersion } from '../service/meter-history';

/** The first version holds since always. */
const RECORD = {
  name: 'ledger_record_meters',
  text: `
insert into meter_version (tenant_id, meter, version, aggregation, from_at)
select $1::uuid, m.key, coalesce(v.version, 0) + 1, m.aggregation, case when v.version is null then null else $4::timestamptz end
  from unnest($2::text[], $3::text[]) as m (key, aggregation)
  left join lateral (select version, aggregation from meter_version o
                      where o.tenant_id = $1::uuid and o.meter = m.key order by version desc limit 1) v on true
 where v.aggregation is distinct from m.aggregation`,
};

const OF = {
  name: 'ledger_meter_versions',
  text: `select aggregation, from_at from meter_version where tenant_id = $1::uuid and meter = $2 order by version`,
};

@Injectable()
export class PgMeterHistory extends MeterHistory {
  override async record(tx: Tx, tenantId: string, meters: readonly Meter[], from: Instant): Promise<void> {
    if (meters.length === 0) return;
    await tx.query(RECORD, [
      tenantId,
      texts(meters.map(({ key }) => key)),
      texts(meters.map(({ aggregation }) => aggregation)),
      pgInstant(from),
    ]);
  }

  override async of(tx: Tx, tenantId: string, meter: string): Promise<readonly MeterVersion[]> {
    const { rows } = await tx.query<{ aggregation: Meter['aggregation']; from_at: string | null }>(OF, [
      tenantId,
      meter,
    ]);
    return rows.map((row) => ({ aggregation: row.aggregation, from: instantOrNullFromPg(row.from_at) }));
  }
}
