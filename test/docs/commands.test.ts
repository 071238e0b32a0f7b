import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/app/main.ts';
import { blocks, commandsIn, pages, readPage, repository, type ShownCommand } from './pages.ts';

/** A command that is only named, as in "`./repro explain` says why", needs no arguments. */
const isOnlyNamed = ({ words }: ShownCommand, refusal: string): boolean =>
  words.every((word) => /^[a-z-]+$/.test(word)) && /missing required|required option/.test(refusal);

/** What the program says against a command; empty if it would do it. */
function refusalOf(words: readonly string[]): string {
  const program = buildProgram('0');
  let said = '';
  const prepare = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeErr: (text) => {
        said += text;
      },
    });
    if (command.commands.length === 0) command.action(() => {});
    for (const one of command.commands) prepare(one);
  };
  prepare(program);
  try {
    program.parse([...words], { from: 'user' });
  } catch (error) {
    return said || String(error);
  }
  return '';
}

const inText = (page: string): ShownCommand[] =>
  [...readPage(page).matchAll(/`(?:\.\/)?(repro [^`]+)`/g)].flatMap(([, text = '']) =>
    commandsIn({ at: page, language: 'sh', example: undefined, text: `./${text.replaceAll('\n', ' ')}` }),
  );

describe('the pages', () => {
  test('show only commands, options and choices that there are', () => {
    const shown = [...blocks.flatMap(commandsIn), ...pages.flatMap(inText)];
    expect(shown.length).toBeGreaterThan(100);
    const wrong = shown.flatMap((command) => {
      const { at, text, words } = command;
      const refusal = refusalOf(words);
      return refusal === '' || isOnlyNamed(command, refusal) ? [] : [`${at}: ${text}: ${refusal}`];
    });
    expect(wrong).toEqual([]);
  });

  test('find what is wrong', () => {
    expect(refusalOf(['run', '--sett', 'a=b'])).toContain("unknown option '--sett'");
    expect(refusalOf(['export', 'figures', '--format', 'gif'])).toContain('gif');
    expect(refusalOf(['nothing'])).toContain('nothing');
  });

  test('never tell anyone to use npx for this program, nor do its messages', () => {
    const sources = readdirSync(path.join(repository, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join('src', name));
    const wrong = [...pages, ...sources].filter((file) =>
      readPage(file).replaceAll('[not `npx repro`]', '').includes('npx repro'),
    );
    expect(wrong).toEqual([]);
  });
});
