import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Statement, StatementRow } from '../service/wallet-reading';

const COLUMNS = 'version,at,effective_at,kind,amount,held,balance,grant,feature,reference';

/** A statement by RFC 4180: a row `opening`, one per entry, a row `closing`. */
export function statementCsv({ opening, closing, entries }: Statement): string {
  const lines = [
    COLUMNS,
    balanceRow('opening', opening),
    ...entries.map(entryRow),
    balanceRow('closing', closing),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function entryRow({ version, at, effectiveAt, kind, ...row }: StatementRow): string {
  const times = [formatInstant(at), formatInstant(effectiveAt)];
  const amounts = [row.amount, row.held, row.balance].map(formatAmount);
  const names = [row.grant, row.feature, row.reference].map(textCell);
  return [version, ...times, kind, ...amounts, ...names].join(',');
}

function balanceRow(kind: 'opening' | 'closing', balance: bigint): string {
  return `,,,${kind},,,${formatAmount(balance)},,,`;
}

/** Keys are their senders' texts: a spreadsheet must not take one for a formula. */
function textCell(text: string | null): string {
  if (text === null) return '';
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
