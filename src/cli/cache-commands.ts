import type { Command } from 'commander';

type AddOptions = (command: Command) => Command;

const gcExamples = `
Kept are the last record of each instance, what a --keep names, and what these were made from; everything else goes, with its files
in the store. Outputs in artifacts/ stay as they are. The rules (docs/cache.md), which may be repeated:
  last            the last record of each instance (always kept)
  5               the 5 most recent records of each instance
  30d             records younger than 30 days (also h, w)
  profile=full    records of this profile's runs
  stage=train     records of this stage or instance
  committed       what the records in repro.lock name
  all             every record: only leftovers go

Examples:
  $ repro gc --dry-run
  $ repro gc --keep 5 --keep profile=full
  $ repro gc --keep committed --keep 30d --json
  $ repro gc --forget old-stage`;

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** Adds the commands that care for the cache. */
export function addCacheCommands(program: Command, _withPipelineOptions: AddOptions): void {
  program
    .command('gc')
    .description('remove results from the cache that are no longer needed')
    .option('--keep <rule>', 'keep more than the last results; may be repeated', collect, [])
    .option(
      '--forget <stage>',
      'do not keep the last results of this stage or instance; may be repeated',
      collect,
      [],
    )
    .option('-n, --dry-run', 'show what would go and how much space it takes, without removing anything')
    .option('--json', 'print one JSON document')
    .addHelpText('after', gcExamples)
    .action(async (options) => (await import('./gc.ts')).gc({ ...program.opts(), ...options }));
}
