import { type Command, InvalidArgumentError, Option } from 'commander';

type AddOptions = (command: Command) => Command;

const explainExamples = `
Shows what differs from the last run, or from the one that --against names: last, lock (the record in repro.lock), the beginning of
a fingerprint or of a commit, a time in UTC (the latest run up to then), a profile, another instance, or a file with a record, such
as a colleague's.

Examples:
  $ repro explain train@baseline,2020
  $ repro explain train@baseline,2020 --list
  $ repro explain train@baseline,2020 --against 3f9a1c
  $ repro explain frames --against 2026-11-20 --no-diff
  $ repro explain train --against lock --profile full --json`;

const checkExamples = `
Facts, environment variables, Node.js and the platform are not compared: they belong to the machine that computed the results. What
a stage reads from another is taken from the record of that other, and with --no-data external data from the record of the stage.
Exits with 4 if a record is missing or does not belong.

Examples:
  $ repro check --no-data
  $ repro check --profile full --json`;

/** Adds the commands that tell what results were made from. */
export function addExplainCommands(program: Command, withPipelineOptions: AddOptions): void {
  withPipelineOptions(program.command('explain'))
    .description('show exactly what makes a stage stale, line by line for text')
    .argument('<stage>', 'a stage or an instance, such as train@baseline,2020')
    .option('--against <run>', 'compare with another recorded run', 'last')
    .option('--list', 'list the recorded runs instead')
    .option('--no-diff', 'do not show differences of texts')
    .option('--lines <n>', 'lines of each difference to show; 0 for all', parseCount, 40)
    .option('--json', 'print one JSON document')
    .addHelpText('after', explainExamples)
    .action(async (target, options) =>
      (await import('./explain.ts')).explain(target, { ...program.opts(), ...options }),
    );

  withPipelineOptions(program.command('check'))
    .description(
      'check that the committed records in repro.lock belong to the present code, configuration, packages and data',
    )
    .option('--no-data', 'do without the external data, as continuous integration has to')
    .option('--json', 'print one JSON document')
    .addHelpText('after', checkExamples)
    .action(async (options) => (await import('./check.ts')).check({ ...program.opts(), ...options }));

  withPipelineOptions(program.command('lock'))
    .description(
      'write the records of stages that are up to date to repro.lock, to be committed; `repro run` does it for the profiles under `lock:` in pipeline.yaml',
    )
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro lock --profile full')
    .action(async (targets, options) =>
      (await import('./lock.ts')).lock(targets, { ...program.opts(), ...options }),
    );
}

const auditExamples = `
Results in place, records and the store stay as they are: runs write to artifacts/.audit, which is removed at the end. Without
--tolerance every byte counts; with it, only the metrics named, and * stands for all others. Exits with 4 if runs differ.

Examples:
  $ repro audit frames
  $ repro audit train@baseline,2020 --runs 3 --keep
  $ repro audit train --tolerance testAccuracy=0.005 --tolerance '*=1e-6' --json`;

/** Adds `repro audit`. */
export function addAuditCommand(program: Command, withPipelineOptions: AddOptions): void {
  withPipelineOptions(program.command('audit'))
    .description('run a stage several times from scratch and compare what it writes')
    .argument('<stage>', 'a stage or an instance; its inputs must be in place')
    .option('--runs <n>', 'how often to run it', parseRuns, 2)
    .addOption(
      new Option('--tolerance <metric=distance>', 'compare this metric instead of bytes; may be repeated')
        .argParser(parseTolerance)
        .default(new Map<string, number>(), 'none'),
    )
    .option('--keep', 'keep the outputs of all runs in artifacts/.audit until the next audit')
    .option('--json', 'print one JSON document')
    .addHelpText('after', auditExamples)
    .action(async (target, options) =>
      (await import('./audit.ts')).audit(target, { ...program.opts(), ...options }),
    );
}

const watchExamples = `
Watches what the stages depend on and no stage makes: sources, scripts, inputs, pipeline.yaml, the profile, package-lock.json. After a
change that comes while stages run, they end first and then what is stale runs again; with --restart they are stopped at once, and
continue from their resume folders.

Examples:
  $ repro watch
  $ repro watch report --profile quick
  $ repro watch train@baseline,2020 --restart
  $ repro watch --poll 2`;

/** Adds `repro watch`. */
export function addWatchCommand(program: Command, withPipelineOptions: AddOptions): void {
  withPipelineOptions(program.command('watch'))
    .description('run what is not up to date, now and after every change, until Ctrl-C')
    .argument('[stage...]', 'stages or instances, and what they depend on (default: all)')
    .option(
      '-j, --jobs <n>',
      'maximum number of stages to run at once (default: the number of cores)',
      parseJobs,
    )
    .option('--restart', 'stop running stages at a change, instead of waiting for their end')
    .option(
      '--poll <seconds>',
      'look for changes this often, where the file system reports none (network folders)',
      parseSeconds,
    )
    .addHelpText('after', watchExamples)
    .action(async (targets, options) =>
      (await import('./watch.ts')).watch(targets, { ...program.opts(), ...options }),
    );
}

/** A number of stages to run at once, on the command line. */
export function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return jobs;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError('expected seconds, from 0.1 to 3600.');
  }
  return seconds;
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 2)
    throw new InvalidArgumentError('expected a whole number of at least 2.');
  return runs;
}

function parseTolerance(text: string, earlier: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const at = text.lastIndexOf('=');
  const distance = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === '' || !(distance >= 0)) {
    throw new InvalidArgumentError('expected a metric and a distance, such as testAccuracy=0.005.');
  }
  return new Map(earlier).set(text.slice(0, at), distance);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('expected a whole number.');
  return count;
}
