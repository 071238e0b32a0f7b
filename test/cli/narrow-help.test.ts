import { Help } from 'commander';
import { expect, test } from 'vitest';
import { formatHelpItem } from '../../src/cli/options/usage-errors.ts';

test('in a narrow terminal, help shows what an option means below it', () => {
  const help = new Help();
  help.minWidthToWrap = 20;
  const description = 'run the named stages (or all) even if they are up to date';
  help.helpWidth = 40;
  expect(formatHelpItem('-f, --force', 22, description, help).split('\n')).toEqual([
    '  -f, --force',
    '      run the named stages (or all) even',
    '      if they are up to date',
  ]);
  help.helpWidth = 80;
  expect(formatHelpItem('-f, --force', 22, description, help)).toMatch(/^ {2}-f, --force {13}run the named/);
});
