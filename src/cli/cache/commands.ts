import { type Command, Option } from 'commander';
import { collect, withPipelineOptions } from '../options/options.ts';

const gcExamples = `
Kept are what the profiles would restore, what repro.lock names, the last record of each instance, what a --keep names, and what
these were made from; everything else goes, with its files in the store. Outputs in artifacts/ stay as they are. The rules
(docs/cache.md), which may be repeated:
  5               the 5 most recent records of each instance
  30d             records younger than 30 days (also h, w)
  profile=full    records of this profile's runs
  stage=train     records of this stage or instance
  all             every record: only leftovers go

Examples:
  $ repro gc --dry-run
  $ repro gc --keep 5 --keep profile=full
  $ repro gc --keep 30d --json
  $ repro gc --forget old-stage`;

const remoteHelp = 'a shared folder, or s3://bucket/prefix (default: `cache.remote` in pipeline.yaml)';

const pullExamples = `
Fetches what is not up to date here and puts it in place; runs nothing. Of the stages that the named ones depend on, only records
are read. Everything is checked against its sha256. Exits with 3 if the remote does not have all of it, with 1 if something there is
damaged. \`repro run --pull\` fetches what there is, and runs the rest.

Examples:
  $ repro cache pull --profile full
  $ repro cache pull report --remote /mnt/shared/plif-cache
  $ repro cache pull --locked --profile full      the committed results, without data
  $ AWS_PROFILE=lab repro cache pull --remote s3://lab-cache/plif`;

const pushExamples = `
Uploads what is up to date here, with what it depends on; what is there already is not uploaded again. Exits with 3 if some stages are
not up to date.

Examples:
  $ repro cache push --profile full
  $ repro cache push train --remote s3://lab-cache/plif
  $ repro cache push --verify        read what is there, and replace what is damaged`;

const verifyExample = `
Damaged files are removed. What the last results lack is stored again from outputs in place, wherever one is intact; what is lost of
their outputs, records and source texts is named, with what helps: a run, or \`repro gc --forget\` for what the pipeline no longer has. Exits with 1 if something was damaged, is lost, or could not be
read or stored.

Example:
  $ repro cache verify`;

/** Adds the commands that care for the cache. */
export function addCacheCommands(program: Command): void {
  program
    .command('gc')
    .description('remove results from the cache that are no longer needed')
    .addOption(
      new Option('--keep <rule>', 'keep more than the last results; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--forget <stage>',
        'do not keep the last results of this stage or instance; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('-n, --dry-run', 'show what would go and how much space it takes, without removing anything')
    .option('--json', 'print one JSON document')
    .addHelpText('after', gcExamples)
    .action(async (options) => (await import('./gc.ts')).gc({ ...program.opts(), ...options }));

  const cache = program
    .command('cache')
    .description('share results through a folder or S3-compatible storage; check the store')
    .addHelpText(
      'after',
      '\nExamples:\n  $ repro cache pull train\n  $ repro cache push --remote /mnt/shared/plif',
    );
  withPipelineOptions(cache.command('pull'))
    .description('fetch results instead of computing them')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--remote <address>', remoteHelp)
    .option(
      '--locked',
      'fetch the outputs that the records in repro.lock name: needs no data, and believes only the repository',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', pullExamples)
    .action(async (targets, options) =>
      (await import('./transfers.ts')).pull(targets, { ...program.opts(), ...options }),
    );
  withPipelineOptions(cache.command('push'))
    .description('upload results for others to fetch')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--remote <address>', remoteHelp)
    .option('--verify', 'read what the remote has, and replace what is damaged')
    .option('--json', 'print one JSON document')
    .addHelpText('after', pushExamples)
    .action(async (targets, options) =>
      (await import('./transfers.ts')).push(targets, { ...program.opts(), ...options }),
    );
  cache
    .command('verify')
    .description(
      'check every file of the local store, and store again what is damaged and intact in its place',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', verifyExample)
    .action(async (options) => (await import('./verify.ts')).verify({ ...program.opts(), ...options }));
}
