import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const repository = path.resolve(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** `docs/cache.md:8`, of its first line. */
  readonly at: string;
  /** Empty for output and drawings. */
  readonly language: string;
  /** The name in `<!-- example: NAME -->` above it. */
  readonly example: string | undefined;
  readonly text: string;
}

/** The pages that people read about the project, relative to the repository. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(repository, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export function readPage(page: string): string {
  return readFileSync(path.join(repository, page), 'utf8');
}

export const blocks: readonly Block[] = pages.flatMap((page) => {
  const text = readPage(page);
  const fences = text.matchAll(/(?:^<!-- example: (\S+) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([whole, example, language = '', content = ''], _): Block => {
    const before = text.slice(0, text.indexOf(whole));
    const line = before.split('\n').length + (example === undefined ? 1 : 2);
    return { at: `${page}:${line}`, language, example, text: content };
  });
});

/** The one block with this name. */
export function findExample(name: string): Block {
  const [block, ...others] = blocks.filter(({ example }) => example === name);
  if (block === undefined || others.length > 0) throw new Error(`not one example ${name}`);
  return block;
}

/** A command of this program as a page shows it. */
export interface ShownCommand {
  readonly at: string;
  readonly text: string;
  /** After the program's name. */
  readonly words: readonly string[];
}

const programs: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\.\/repro (.*)$/, []],
  [/^node bin\/repro\.js (.*)$/, []],
  [/^npm run reproduce(?: -- (.*))?$/, ['run']],
  [/^npm run (?:--silent )?parity -- (.*)$/, ['parity']],
];

/** The commands in a block: lines that begin with this program, also after `$ `, variables and `&&`, without comments and redirections. */
export function commandsIn({ at, text }: Block): ShownCommand[] {
  const lines = text.replace(/ *\\\n */g, ' ').split('\n');
  return lines.flatMap((line) =>
    line
      .replace(/^\$ /, '')
      .replace(/\s+#.*$/, '')
      .split(' && ')
      .flatMap((part) => {
        const command = part.replace(/^(?:[A-Z_]+=\S+ )+/, '').replace(/ (?:>|>>|\|) .*$/, '');
        return programs.flatMap(([pattern, first]) => {
          const found = pattern.exec(command.trim());
          return found === null ? [] : [{ at, text: line, words: [...first, ...splitWords(found[1] ?? '')] }];
        });
      }),
  );
}

/** As a shell does, for what pages show; `…` stands for more of the same. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)]
    .map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b))
    .filter((word, index, words) => word !== '…' || words[index - 1]?.startsWith('--') === true);
}
