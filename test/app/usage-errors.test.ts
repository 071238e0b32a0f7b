import { Command } from 'commander';
import { expect, test } from 'vitest';
import { pointToOwnHelp } from '../../src/app/process/command-line.ts';

test('a usage error points to the help of its own command, also for subcommands', () => {
  const written: string[] = [];
  const program = new Command('repro').configureOutput({ writeErr: (text) => void written.push(text) });
  program.exitOverride();
  program.command('cache').command('push').requiredOption('--all');
  program.command('logs');
  pointToOwnHelp(program);
  for (const words of [['cache', 'push'], ['logs', '--al'], ['cache', 'x'], ['x']]) {
    expect(() => program.parse(words, { from: 'user' })).toThrow();
  }
  const hints = written.filter((text) => text.startsWith('(')).map((text) => text.trim());
  expect(hints).toEqual([
    '(repro cache push --help describes its options)',
    '(repro logs --help describes its options)',
    '(repro cache --help lists the commands)',
    '(repro --help lists the commands)',
  ]);
});
