// A page of Markdown → the code blocks and inline commands in it.

export interface CodeBlock {
  /** Page and line, for messages. */
  where: string;
  language: string;
  /** The word after the language, which readers do not see. It decides how the block is checked. */
  mark: string;
  code: string;
}

export function findCodeBlocks(page: string, text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\w+)(?: +(\w+))?\n([\s\S]*?)^```$/gm)].map(
    ({ index, 1: language = '', 2: mark = '', 3: code = '' }) => ({
      where: `${page}:${text.slice(0, index).split('\n').length}`,
      language,
      mark,
      code,
    }),
  );
}

/** `quati train mnist-cnn --data photos/` and `npm run readme` inside sentences; without those that stand for many (…, <name>). */
export function findInlineCommands(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  const found = [...prose.matchAll(/`((?:npx )?quati [^`]+|npm (?:run|test|start|ci)\b[^`]*)`/g)];
  return found
    .map(([, command = '']) => command.replace(/\s+/g, ' '))
    .filter((command) => !/[…<>|]/.test(command));
}
