import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeError } from '../errors.ts';
import { parseGpuList } from '../runner/execution/gpu-list.ts';
import { explainDiskError } from '../stage/disk-error.ts';
import { addCacheCommands } from './cache-commands.ts';
import { addCheckpointCommands } from './checkpoint-commands.ts';
import { addCompletionCommands } from './completion-commands.ts';
import { addDataCommands } from './data-commands.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { addAuditCommand, addExplainCommands, addWatchCommand, parseJobs } from './explain-commands.ts';
import { addOriginalCommands } from './original-commands.ts';
import { handleOutputErrors } from './output-errors.ts';
import { threadsOption } from './threads-option.ts';
import { dropFarSuggestions, pointToOwnHelp, suggestChoice } from './usage-errors.ts';
import { toLines } from './view/safe-text.ts';

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

function parseGpus(text: string): readonly string[] {
  const gpus = parseGpuList(text);
  if (gpus === null) {
    throw new InvalidArgumentError('expected different ids, as `nvidia-smi -L` lists them: 0,1.');
  }
  return gpus;
}

/** The options that select the graph; every command that reads the pipeline has them. */
function withPipelineOptions(command: Command): Command {
  return command
    .option(
      '-p, --profile <name>',
      'a file in configs/profiles, without .yaml (default: the one that pipeline.yaml names)',
    )
    .addOption(
      new Option(
        '-s, --set <key=value>',
        'override one value of the profile, as in train.epochs=3; may be repeated; paths are relative to the project',
      )
        .argParser(collect)
        .default([], 'none'),
    );
}

const programExamples = `
Examples:
  $ repro run                                  everything that is not up to date
  $ repro status                               what is up to date, and why the rest is not
  $ repro run train --profile full --dry-run   what would run of the trainings of another profile
  $ repro explain train@baseline,2020          what exactly makes one of them stale`;

const runExamples = `
Examples:
  $ repro run                                  everything that is not up to date
  $ repro run train                            all trainings, and what they depend on
  $ repro run train@baseline,2020              one of them
  $ repro run --from frames                    frames and everything after it
  $ repro run --until train --dry-run          what would run, and why
  $ repro run --jobs 4 --gpus 0,1              four stages at once, on two GPUs
  $ repro run report --force --trace           what it touches without declaring it
  $ repro run --fail-fast                      start nothing more after a failure
  $ repro run --profile full --set dataset.root=/data/DvsGesture
  $ repro run --pull --remote s3://lab-cache/plif    fetch results that others have computed`;

const doctorExamples = `
The profile and --set only apply to --plan. It reads no data; if the memory does not suffice, it exits with 2.

Examples:
  $ repro doctor
  $ repro doctor --plan baseline --profile full
  $ repro doctor --plan no-reg --profile full --set train.batchSize=64
  $ repro doctor --plan ./mine.yaml --json`;

/** All commands, with their options, help and actions. */
export function buildProgram(version: string): Command {
  const program = new Command('repro')
    .description(
      'Reproduces "The role of membrane time constant in the training of spiking neural networks" (Pazderka, 2024):\nruns the stages in pipeline.yaml and skips those that are up to date.',
    )
    .version(version)
    .option(
      '--project <dir>',
      'the folder that contains pipeline.yaml (default: the current folder or its nearest parent with one)',
    )
    .addOption(new Option('--debug', 'print the stack trace of an error').hideHelp())
    .addHelpText('after', programExamples)
    .configureOutput({
      outputError: (text, write) => write(toLines(suggestChoice(dropFarSuggestions(text))).join('\n')),
    });

  withPipelineOptions(program.command('run'))
    .description('run stages that are not up to date, and what they depend on')
    .argument('[stage...]', 'stages or instances, such as train or train@baseline,2020 (default: all)')
    .option('--from <stage>', 'this stage and everything after it')
    .option('--until <stage>', 'this stage and everything it depends on')
    .option('-f, --force', 'run the named stages (or all) even if they are up to date')
    .option('-n, --dry-run', 'show what would run, and why, without running anything')
    .option(
      '-j, --jobs <n>',
      'maximum number of stages to run at once (default: the number of cores)',
      parseJobs,
    )
    .option('--fail-fast', 'after a failure start no more stages; those that run are finished')
    .addOption(
      new Option(
        '--keep-going',
        'after a failure run everything that does not depend on it (default)',
      ).conflicts('failFast'),
    )
    .addOption(
      new Option(
        '--gpus <ids>',
        'the GPUs that stages may use, as in 0,1 (default: those in CUDA_VISIBLE_DEVICES, else all)',
      ).argParser(parseGpus),
    )
    .option(
      '--trace',
      'report files that stages touch but do not declare, and exit with 5 if there are any (needs strace)',
    )
    .option('--json', 'print the outcome to stdout as one JSON document')
    .option('--pull', 'fetch from the remote cache what it has, instead of running it')
    .option('--remote <address>', 'the remote cache of --pull (default: `cache.remote` in pipeline.yaml)')
    .addHelpText('after', runExamples)
    .action(async (targets, options) =>
      (await import('./run.ts')).run(targets, { ...program.opts(), ...options }),
    );

  withPipelineOptions(program.command('status'))
    .description('show which stages are up to date, and why the others are not')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--exit-code', 'exit with 3 if any stage is not up to date')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro status --profile full --exit-code')
    .action(async (targets, options) =>
      (await import('./status.ts')).status(targets, { ...program.opts(), ...options }),
    );

  addExplainCommands(program, withPipelineOptions);
  addAuditCommand(program, withPipelineOptions);
  addWatchCommand(program, withPipelineOptions);

  withPipelineOptions(program.command('graph'))
    .description('show the stages and their dependencies')
    .addOption(
      new Option('--format <kind>', 'output format')
        .choices(['text', 'mermaid', 'svg', 'json'])
        .default('text'),
    )
    .option('--json', 'the same as --format json')
    .addHelpText('after', '\nExample:\n  $ repro graph --format svg > graph.svg')
    .action(async (options) => (await import('./graph.ts')).graph({ ...program.opts(), ...options }));

  withPipelineOptions(program.command('logs'))
    .description("print the log of a stage's last run")
    .argument('<stage>', 'a stage or an instance, such as train@baseline,2020')
    .option('--path', 'print only the path of the log')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro logs train@baseline,2020')
    .action(async (target, options) =>
      (await import('./logs.ts')).logs(target, { ...program.opts(), ...options }),
    );

  withPipelineOptions(program.command('metrics'))
    .description('show the metrics that each stage recorded in its last run')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro metrics train --json')
    .action(async (targets, options) =>
      (await import('./metrics.ts')).metrics(targets, { ...program.opts(), ...options }),
    );

  withPipelineOptions(program.command('doctor'))
    .description(
      'check this machine (Node.js, git, memory, disk, engines), tell how to get what is missing, and estimate from a short measurement how long the full reproduction takes; or tell what memory a model needs',
    )
    .option(
      '--plan <model>',
      'memory that training and evaluating a model needs under a profile, and the largest batches that fit; a file in configs/models, without .yaml, or a path',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', doctorExamples)
    .action(async (options) => (await import('./doctor.ts')).doctor({ ...program.opts(), ...options }));

  program
    .command('parity')
    .description(
      "compare this program's results with vectors computed by PyTorch, such as those in test/golden",
    )
    .argument('<dir>', 'a folder with index.json and one .safetensors file per case (docs/parity.md)')
    .option(
      '--engine <name>',
      'auto, native, tfjs, tfjs-cpu, or tfjs-composed (tfjs-cpu without its custom kernels)',
      'auto',
    )
    .addOption(threadsOption())
    .addOption(
      new Option('--case <name>', 'only this case; may be repeated').argParser(collect).default([], 'all'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  $ repro parity test/golden --engine tfjs-composed\n  $ repro parity test/golden --case plif_08 --case rng',
    )
    .action(async (folder, options) =>
      (await import('./parity.ts')).parity(folder, { ...program.opts(), ...options }),
    );

  addDataCommands(program);
  addCacheCommands(program, withPipelineOptions);
  addCheckpointCommands(program, withPipelineOptions);
  addOriginalCommands(program);
  addCompletionCommands(program);

  program
    .command('probe-cuda', { hidden: true })
    .action(async () => (await import('./cuda-probe.ts')).printCudaProbe());

  return program;
}

declare const PACKAGE_VERSION: string;

/** Runs one command line. Sets the exit code instead of exiting, so that stdout drains into slow pipes. */
export async function main(argv: readonly string[]): Promise<void> {
  handleOutputErrors();
  const program = buildProgram(PACKAGE_VERSION);
  program.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  });
  inheritSettings(program);
  pointToOwnHelp(program);
  try {
    const unknown = findUnknownCommand(program, argv.slice(2));
    await (unknown === undefined
      ? program.parseAsync(argv)
      : program.parseAsync([unknown], { from: 'user' }));
  } catch (thrown) {
    const error = explainDiskError(thrown);
    // Names of files and values in it may contain anything.
    process.stderr.write(`${toLines(describeError(error)).join('\n')}\n`);
    if (program.opts().debug === true && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** Commands copy their parent's settings when they are created, which is before these were made. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

/**
 * The unknown command in `repro clean --help` or `repro help clean`: commander answers these with the general help as if nothing
 * were wrong, but rejects the command on its own, suggesting the closest one.
 */
function findUnknownCommand(program: Command, words: readonly string[]): string | undefined {
  const [first, second] = program.parseOptions([...words]).operands;
  const name = first === 'help' ? second : first;
  return program.commands.some((command) => command.name() === name) ? undefined : name;
}
