import { Command } from 'commander';
import { expect, test } from 'vitest';
import { pointToOwnHelp, suggestChoice } from '../../src/cli/main.ts';

test.each([
  ['sgv', '\n(Did you mean svg?)'],
  ['picture', ''],
])('of a wrong choice %j, the one that was meant is suggested, if any', (word, suggestion) => {
  const text = `error: option '--format <kind>' argument '${word}' is invalid. Allowed choices are text, svg, json.`;
  expect(suggestChoice(`${text}\n`)).toBe(`${text}${suggestion}\n`);
});

test('a usage error points to the help of its own command, also for subcommands', () => {
  const written: string[] = [];
  const program = new Command('repro').configureOutput({ writeErr: (text) => void written.push(text) });
  program.exitOverride();
  program.command('config').command('from-args').requiredOption('--all');
  program.command('logs');
  pointToOwnHelp(program);
  for (const words of [['config', 'from-args'], ['logs', '--al'], ['config', 'x'], ['x']]) {
    expect(() => program.parse(words, { from: 'user' })).toThrow();
  }
  const hints = written.filter((text) => text.startsWith('(')).map((text) => text.trim());
  expect(hints).toEqual([
    '(repro config from-args --help describes its options)',
    '(repro logs --help describes its options)',
    '(repro config --help lists the commands)',
    '(repro --help lists the commands)',
  ]);
});
