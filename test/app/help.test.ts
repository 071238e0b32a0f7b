import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/app/main.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Every command that the help lists, with its full name; groups such as `data` come before what is in them. */
function listCommands(parent: Command, prefix = 'repro'): [string, Command][] {
  return parent
    .createHelp()
    .visibleCommands(parent)
    .filter((one) => one.name() !== 'help')
    .flatMap((one): [string, Command][] => {
      const name = `${prefix} ${one.name()}`;
      return [[name, one], ...listCommands(one, name)];
    });
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  return text;
}

/** The lines after `$`, with those that a backslash continues, without remarks, variables and where their output goes. */
function examplesIn(help: string): string[] {
  return [...help.replaceAll(/ *\\\n */g, ' ').matchAll(/^ *\$ (.*)$/gm)].map(([, line = '']) =>
    line
      .replace(/ {2,}.*$/, '')
      .replace(/ > \S+$/, '')
      .replace(/^(?:[A-Z_]+=\S+ )+/, ''),
  );
}

/** As a shell reads a line with single quotes. */
function wordsOf(line: string): string[] {
  return (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

const commands = listCommands(buildProgram('0'));
const examples = [
  ...new Set(
    [...commands, ['repro', buildProgram('0')] as const].flatMap(([, one]) => examplesIn(helpOf(one))),
  ),
];

test('the commands are found', () => {
  expect(commands.map(([name]) => name)).toEqual(
    expect.arrayContaining(['repro run', 'repro data', 'repro data verify', 'repro train-val']),
  );
});

describe('the help of every command', () => {
  test.each(commands)(
    'of %s describes it, its arguments and its options, with examples of its own',
    (name, command) => {
      expect(command.description()).not.toBe('');
      for (const option of command.options) expect(option.description, option.flags).not.toBe('');
      for (const one of command.registeredArguments) expect(one.description, one.name()).not.toBe('');
      const own = examplesIn(helpOf(command)).filter((line) => `${line} `.startsWith(`${name} `));
      expect(own.length).toBeGreaterThan(0);
    },
  );

  test('of the program has examples', () => {
    expect(examplesIn(helpOf(buildProgram('0'))).length).toBeGreaterThan(1);
  });
});

describe('an example', () => {
  test.each(examples)('%s: is understood', async (line) => {
    const [name, ...words] = wordsOf(line);
    expect(name).toBe('repro');
    const program = buildProgram('0');
    const called: string[] = [];
    const errors: string[] = [];
    const prepare = (command: Command): void => {
      command
        .exitOverride()
        .configureOutput({ writeErr: (text) => errors.push(text), outputError: (text) => errors.push(text) });
      if (command.commands.length === 0) command.action(() => void called.push(command.name()));
      for (const one of command.commands) prepare(one);
    };
    prepare(program);
    await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => errors.push(String(error)));
    expect(errors).toEqual([]);
    // What an example shows is what runs, not a word that happens to be taken for an argument.
    expect(called).toEqual([
      listCommands(program)
        .find(([full]) => `${line} `.startsWith(`${full} `) && isLeaf(program, full))?.[1]
        .name(),
    ]);
  });
});

function isLeaf(program: Command, name: string): boolean {
  const found = listCommands(program).find(([full]) => full === name);
  return found?.[1].commands.length === 0;
}

describe('a mistyped word', () => {
  const call = async (words: readonly string[]): Promise<string> => {
    const result = promisify(execFile)(process.execPath, [path.join(root, 'bin/repro.js'), ...words], {
      cwd: root,
    });
    const error = await result.then(
      () => undefined,
      (thrown: { code: number; stderr: string }) => thrown,
    );
    expect(error?.code).toBe(2);
    return error?.stderr ?? '';
  };

  test.each([
    [['rnu'], 'run'],
    [['run', '--dryrun'], '--dry-run'],
    [['run', 'train@baselin,2020'], 'train@baseline,2020'],
    [['run', '--set', 'train.epoch=3'], 'epochs'],
    [['train-val', '-init_tua', '2'], 'init_tau'],
  ])('in %j is answered with the nearest', async (words, nearest) => {
    const text = await call(words);
    expect(text).toMatch(/did you mean|closest/i);
    expect(text).toContain(nearest);
  });
});
