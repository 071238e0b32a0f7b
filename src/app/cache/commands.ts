import { type Command, Option } from 'commander';
import { collect, lazily, wholeFrom, withPipelineOptions } from '../options/options.ts';

const gcExamples = `
Keeps the last results of each stage and, for each profile, its last results that are not from a trial (a run with --set). Removes all other
records, with their files in the store. Outputs in artifacts/ stay as they are.

Examples:
  $ repro gc --dry-run
  $ repro gc --days 30
  $ repro gc --forget old-stage`;

const remoteHelp = 'a shared folder, or s3://bucket/prefix (default: `cache.remote` in pipeline.yaml)';

const pullExamples = `
Fetches the results of stages that are not up to date here, and puts them in place. Runs nothing. For the stages that they depend on, it reads
only the records. It checks every file against its sha256. Exits with 3 if the remote lacks something, with 1 if something there is damaged.
\`repro run --pull\` fetches what there is, and runs the rest.

Examples:
  $ repro cache pull --profile full
  $ repro cache pull report --remote /mnt/shared/plif-cache
  $ AWS_PROFILE=lab repro cache pull --remote s3://lab-cache/plif`;

const pushExamples = `
Uploads results that are up to date here, and the results that they depend on. Files that the remote already has are not uploaded again. Exits
with 3 if some stages are not up to date.

Examples:
  $ repro cache push --profile full
  $ repro cache push train --remote s3://lab-cache/plif`;

const verifyExample = `
Removes damaged files, and re-stores what the last results lack from intact outputs. Names outputs that are lost, and says what to do: run again
or, for stages that the pipeline no longer has, \`repro gc --forget\`. Exits with 1 if something was damaged or is lost.

Example:
  $ repro cache verify`;

/** Adds the commands that care for the cache. */
export function addCacheCommands(program: Command): void {
  program
    .command('gc')
    .description('remove results from the cache that are no longer needed')
    .addOption(
      new Option('--days <n>', 'also keep what ran in the last n days')
        .argParser(wholeFrom(0))
        .default(0, 'none'),
    )
    .addOption(
      new Option(
        '--forget <stage>',
        'remove even the last results of this stage or instance; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('-n, --dry-run', 'show what would be removed and how much space it takes')
    .option('--json', 'print one JSON document')
    .addHelpText('after', gcExamples)
    .action(lazily(async () => (await import('./gc.ts')).gc));

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
    .option('--json', 'print one JSON document')
    .addHelpText('after', pullExamples)
    .action(lazily(async () => (await import('./transfers.ts')).pull));
  withPipelineOptions(cache.command('push'))
    .description('upload results for others to fetch')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--remote <address>', remoteHelp)
    .option('--json', 'print one JSON document')
    .addHelpText('after', pushExamples)
    .action(lazily(async () => (await import('./transfers.ts')).push));
  cache
    .command('verify')
    .description('check every file of the local store, and re-store damaged files from intact outputs')
    .option('--json', 'print one JSON document')
    .addHelpText('after', verifyExample)
    .action(lazily(async () => (await import('./verify.ts')).verify));
}
