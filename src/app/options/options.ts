import { Command, InvalidArgumentError, Option } from 'commander';
import { parseGpuList } from '../../runner/run/machine.ts';
import type { PipelineOptions } from '../project/load-plan.ts';

/** The options of `repro run`. */
export interface RunOptions extends PipelineOptions {
  readonly from?: string;
  readonly until?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly jobs?: number;
  readonly failFast?: boolean;
  readonly gpus?: readonly string[];
  readonly pull?: boolean;
  readonly remote?: string;
  readonly executor?: 'local' | 'slurm';
  readonly detach?: boolean;
}

/** The value of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

export function parseGpus(text: string): readonly string[] {
  const gpus = parseGpuList(text);
  if (gpus === null) {
    throw new InvalidArgumentError('expected different ids, as `nvidia-smi -L` lists them: 0,1.');
  }
  return gpus;
}

/** A parser for whole numbers of at least so much. */
export function wholeFrom(least: number, most = Number.POSITIVE_INFINITY): (text: string) => number {
  const range = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number ${range}.`);
  };
}

export function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('expected a name.');
  return text;
}

/** `--threads`, for commands that compute with an engine. */
export function threadsOption(): Option {
  return new Option(
    '--threads <n>',
    'threads of the native engine (default: $REPRO_THREADS, else one per core); results do not depend on them',
  ).argParser(wholeFrom(1));
}

/** `--which`, for commands that read the state of a training. */
export function whichOption(): Option {
  return new Option('--which <state>', 'which state of a training to use').choices(['best', 'last']);
}

/**
 * The action of a command. It loads the command's module on demand and passes the arguments, then all options, those of the program too.
 *
 * @param load gives the command's function
 */
export function lazily<Arguments extends readonly (string | readonly string[] | undefined)[]>(
  load: () => Promise<(...given: [...Arguments, options: never]) => void | Promise<void>>,
): (...given: readonly unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1);
    if (!(command instanceof Command)) throw new TypeError('commander gives the command last');
    await Reflect.apply(await load(), undefined, [...given.slice(0, -2), command.optsWithGlobals()]);
  };
}

/** The options that select the graph; every command that reads the pipeline has them. */
export function withPipelineOptions(command: Command): Command {
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
