import { Injectable } from '@nestjs/common';
import type { MeterReading } from '@tallygate/contracts';
import type { Correction } from '../domain/correction';
import { fault } from '../domain/fault';
import type { Fault } from '../domain/fault';
import type { CompiledCatalog } from '../domain/meter';
import { readMeters } from '../domain/reading';
import { CorrectionTargets } from './ports';
import type { CorrectionTarget, Identity } from './ports';

/** A correction of a tenant, and its place in a slice of events. */
export interface PlacedCorrection {
  readonly tenantId: string;
  readonly place: number;
  readonly correction: Correction;
}

/** An event of the same slice, for corrections that come after it. */
export interface PlacedEvent extends Identity {
  readonly tenantId: string;
  readonly place: number;
  readonly customerId: string;
  readonly type: string;
}

export type Amended =
  | { readonly kind: 'read'; readonly type: string; readonly readings: readonly MeterReading[] }
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] };

/** Finds the events that corrections are about, and meters what they should have been. */
@Injectable()
export class CorrectionReader {
  constructor(private readonly targets: CorrectionTargets) {}

  /** @returns the target of each correction, by its place; none where the event is not known yet */
  async find(
    corrections: readonly PlacedCorrection[],
    beside: readonly PlacedEvent[],
  ): Promise<ReadonlyMap<number, CorrectionTarget>> {
    const found = new Map<number, CorrectionTarget>();
    if (corrections.length === 0) return found;
    const before = new Map<string, PlacedEvent>();
    for (const event of beside) {
      const name = nameOf(event.tenantId, event);
      if (!before.has(name)) before.set(name, event);
    }
    const elsewhere: PlacedCorrection[] = [];
    for (const one of corrections) {
      const event = before.get(nameOf(one.tenantId, one.correction));
      if (event === undefined || event.place > one.place) elsewhere.push(one);
      else found.set(one.place, { ...event, meters: [] });
    }
    for (const [place, target] of await this.ask(elsewhere)) found.set(place, target);
    return found;
  }

  private async ask(corrections: readonly PlacedCorrection[]): Promise<[number, CorrectionTarget][]> {
    const byTenant = new Map<string, PlacedCorrection[]>();
    for (const one of corrections) byTenant.set(one.tenantId, [...(byTenant.get(one.tenantId) ?? []), one]);
    const found: [number, CorrectionTarget][] = [];
    for (const [tenantId, own] of byTenant) {
      const targets = await this.targets.find(
        tenantId,
        own.map(({ correction }) => correction),
      );
      const byName = new Map(targets.map((target) => [nameOf(tenantId, target), target]));
      for (const { place, correction } of own) {
        const target = byName.get(nameOf(tenantId, correction));
        if (target !== undefined) found.push([place, target]);
      }
    }
    return found;
  }
}

/** What the meters read from the event as it should have been; nothing for one that never happened. */
export function amendedReadings(
  { change, type: said }: Correction,
  target: CorrectionTarget,
  catalog: CompiledCatalog,
): Amended {
  const type = target.type ?? typeOf(catalog, target.meters) ?? said;
  if (change.kind === 'reversal') return { kind: 'read', type: type ?? '', readings: [] };
  if (type === null) return { kind: 'refused', faults: [TYPE_NEEDED] };
  const faults: Fault[] = [];
  const readings = readMeters({ type, data: change.data }, catalog, faults) ?? [];
  return faults.length === 0
    ? { kind: 'read', type, readings }
    : { kind: 'refused', faults: faults.map((one) => ({ ...one, field: `data.${one.field}` })) };
}

const TYPE_NEEDED = fault(
  'data.type',
  undefined,
  'is needed: no meter has read the event, so its type is not known',
  'Send the type of the event that is to be amended.',
);

function typeOf(catalog: CompiledCatalog, meters: readonly string[]): string | null {
  for (const [type, compiled] of catalog) {
    if (compiled.some(({ key }) => meters.includes(key))) return type;
  }
  return null;
}

function nameOf(tenantId: string, { source, id }: Identity): string {
  return JSON.stringify([tenantId, source, id]);
}
