import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** Lines of every function with a body in a file, by the compiler's own syntax tree. */
export function functionLengths(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const lengths = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body)
      lengths.push({ file, line: lineOf(source, node.getStart()), lines: span(source, node) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lengths;
}

const lineOf = (source, position) => source.getLineAndCharacterOfPosition(position).line + 1;
const span = (source, node) => lineOf(source, node.getEnd()) - lineOf(source, node.getStart()) + 1;

export function percentile(sorted, share) {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** How often `any` stands as a type in a file. */
export function countAny(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  let count = 0;
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) count += 1;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return count;
}
