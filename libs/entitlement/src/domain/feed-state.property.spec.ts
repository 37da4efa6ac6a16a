import fc from 'fast-check';
import { EMPTY_DIGEST } from './digest';
import type { FeedEntry } from './entries';
import { FeedState } from './feed-state';
import { Replica } from './replica';
import { catalogEntry, customerEntry, tenantEntry } from '../testing/world';

const TENANTS = ['t1', 't2'];

/** Histories of a few keys: every version once, some of them removals, some of a kind not known here. */
const history: fc.Arbitrary<FeedEntry[]> = fc
  .array(
    fc.record({
      tenantId: fc.constantFrom(...TENANTS),
      kind: fc.constantFrom('tenant', 'catalog', 'customer', 'credential', 'clock', 'later'),
      key: fc.constantFrom('a', 'b'),
      removed: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((drafts) => drafts.map((each, index) => entryOf(each, index + 1)));

function entryOf(
  { tenantId, kind, key, removed }: { tenantId: string; kind: string; key: string; removed: boolean },
  version: number,
): FeedEntry {
  const single = kind === 'tenant' || kind === 'catalog' || kind === 'clock';
  const head = { tenantId, key: single ? kind : key, version };
  if (removed) return { ...head, kind, removed: true };
  const live = { ...head, removed: false as const };
  switch (kind) {
    case 'tenant':
      return { ...live, kind, payload: tenantEntry() };
    case 'catalog':
      return { ...live, kind, payload: catalogEntry({}) };
    case 'customer':
      return {
        ...live,
        kind,
        payload: customerEntry({ customer: { id: key, key, subjects: [`of ${key}`] } }),
      };
    case 'credential':
      return { ...live, kind, payload: { customerId: key, subject: null, expiresAt: null, revokedAt: null } };
    case 'clock':
      return { ...live, kind, payload: { now: '2026-03-01T00:00:00Z' } };
    default:
      return { ...live, kind: 'unknown', as: kind };
  }
}

function applied(entries: readonly FeedEntry[]): FeedState {
  const state = new FeedState();
  for (const entry of entries) state.apply(entry);
  return state;
}

/** What must hold at the end, by the plainest means: the last version of each key, unless it is a removal. */
function naive(entries: readonly FeedEntry[]): number {
  const last = new Map<string, FeedEntry>();
  for (const entry of entries) {
    const kind = entry.kind === 'unknown' && !entry.removed ? entry.as : entry.kind;
    const key = `${entry.tenantId} ${kind} ${entry.key}`;
    const known = last.get(key);
    if (known === undefined || known.version < entry.version) last.set(key, entry);
  }
  return [...last.values()].filter((entry) => !entry.removed).length;
}

const shuffled = history.chain((entries) =>
  fc.tuple(
    fc.constant(entries),
    fc.shuffledSubarray([...entries, ...entries], { minLength: entries.length * 2 }),
  ),
);

describe('the applied set', () => {
  it('is the same whatever the order and the repetition', () => {
    fc.assert(
      fc.property(shuffled, ([inOrder, disorder]) => {
        const [a, b] = [applied(inOrder), applied(disorder)];
        expect(b.digest()).toBe(a.digest());
        expect(b.size).toBe(a.size);
        for (const tenant of TENANTS) expect(b.digest(tenant)).toBe(a.digest(tenant));
        expect(a.size).toBe(naive(inOrder));
      }),
    );
  });

  it('digests to nothing when nothing is left', () => {
    fc.assert(
      fc.property(history, (entries) => {
        const state = applied(entries);
        const gone = entries.map((entry): FeedEntry => {
          const kind = entry.kind === 'unknown' && !entry.removed ? entry.as : entry.kind;
          return { tenantId: entry.tenantId, key: entry.key, kind, version: 1000, removed: true };
        });
        for (const removal of gone) state.apply(removal);
        expect(state.digest()).toBe(EMPTY_DIGEST);
        expect(state.size).toBe(0);
      }),
    );
  });

  it('notices one missing entry', () => {
    fc.assert(
      fc.property(history, fc.nat(), (entries, which) => {
        const live = entries.filter((entry) => !entry.removed);
        const last = live.filter(
          (entry, index) => !live.slice(index + 1).some((later) => sameKey(entry, later)),
        );
        fc.pre(last.length > 0);
        const missing = last[which % last.length];
        expect(applied(last.filter((entry) => entry !== missing)).digest()).not.toBe(applied(last).digest());
      }),
    );
  });
});

function sameKey(a: FeedEntry, b: FeedEntry): boolean {
  return a.tenantId === b.tenantId && a.kind === b.kind && a.key === b.key;
}

describe('a snapshot', () => {
  const entry = entryOf({ tenantId: 't1', kind: 'customer', key: 'a', removed: false }, 3);
  const at = { epoch: 'e', seq: 5 };

  it('takes over only whole', () => {
    const replica = new Replica();
    replica.snapshotBegin();
    replica.snapshotChunk([entry]);
    expect(replica.state).toBeNull();
    expect(replica.snapshotEnd(at, applied([entry]).digest())).toBe('swapped');
    expect(replica.position).toEqual(at);

    replica.snapshotBegin();
    expect(replica.snapshotEnd({ epoch: 'e', seq: 9 }, applied([entry]).digest())).toBe('digest_differs');
    expect(replica.state?.size).toBe(1);
    expect(replica.position).toEqual(at);
  });

  it('is needed before any delta', () => {
    const replica = new Replica();
    expect(replica.delta([entry], at)).toBe(false);
    expect(replica.state).toBeNull();
  });
});
