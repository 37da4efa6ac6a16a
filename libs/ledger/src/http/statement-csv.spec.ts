import type { StatementRow } from '../service/wallet-reading';
import { hour, units } from '../testing/wallets';
import { statementCsv } from './statement-csv';

const row: StatementRow = {
  version: 1n,
  at: hour(0),
  effectiveAt: hour(0),
  kind: 'grant',
  amount: units(5),
  held: 0n,
  balance: units(5),
  grant: 'g1',
  feature: null,
  reference: null,
};
const lines = (fields: Partial<StatementRow>) =>
  statementCsv({ opening: 0n, closing: units(5), entries: [{ ...row, ...fields }] }).split('\r\n');

describe('a statement as CSV', () => {
  it('begins with what was there, and ends with what is', () => {
    expect(lines({})).toEqual([
      'version,at,effective_at,kind,amount,held,balance,grant,feature,reference',
      ',,,opening,,,0,,,',
      '1,1970-01-01T00:00:00Z,1970-01-01T00:00:00Z,grant,5,0,5,g1,,',
      ',,,closing,,,5,,,',
      '',
    ]);
  });

  it.each([
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['=1+1', "'=1+1"],
    ['@cmd', "'@cmd"],
    ['plain', 'plain'],
  ])('writes the key %s as %s', (reference, cell) => {
    expect(lines({ reference })[2]?.endsWith(`,${cell}`)).toBe(true);
  });
});
