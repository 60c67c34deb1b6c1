// Source text → its functions that are too long, as sentences. main.ts reports them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const mostLines = 40;
const generated = new Set(['src/toolkit/graph/proto/onnx_pb.ts']);

/** @returns one sentence per function in `folders` that has more than 40 lines of its own. */
export function findLongFunctions(folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((f) => path.join(folder, f)),
    )
    .filter((file) => file.endsWith('.ts') && !generated.has(file))
    .flatMap((file) => longFunctions(file, readFileSync(file, 'utf8')));
}

/**
 * Counts the lines of each function from its first to its last. Blank lines, comments, and the lines of functions inside it do not
 * count: a factory is as long as its own statements, and each closure that it returns has its own count.
 */
export function longFunctions(file: string, text: string, most = mostLines): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const code = codeLines(source, lineAt);
  return functionsBelow(source).flatMap((found) => {
    const lines = new Set(
      range(lineAt(found.getStart(source)), lineAt(found.end)).filter((line) => code.has(line)),
    );
    for (const inner of outermostBelow(found))
      for (const line of range(lineAt(inner.getStart(source)) + 1, lineAt(inner.end))) lines.delete(line);
    if (lines.size <= most) return [];
    const place = `${file}:${lineAt(found.getStart(source)) + 1}`;
    return [
      `${place}: a function has ${lines.size} lines of its own, allowed are ${most}: extract a part with a name`,
    ];
  });
}

/** The lines with at least one token. */
function codeLines(source: ts.SourceFile, lineAt: (position: number) => number): Set<number> {
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node) || node.kind === ts.SyntaxKind.EndOfFileToken) return;
    const parts = node.getChildren(source);
    if (parts.length === 0)
      for (const line of range(lineAt(node.getStart(source)), lineAt(node.end))) lines.add(line);
    parts.forEach(visit);
  };
  visit(source);
  return lines;
}

function functionsBelow(node: ts.Node): ts.Node[] {
  return outermostBelow(node).flatMap((found) => [found, ...functionsBelow(found)]);
}

function outermostBelow(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    if (ts.isFunctionLike(child) && 'body' in child && child.body) found.push(child);
    else found.push(...outermostBelow(child));
  });
  return found;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
