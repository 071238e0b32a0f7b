import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseGpuList } from '../../runner/run/machine.ts';

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

export function parseCountFromOne(text: string): number {
  return parseWhole(text, 1);
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError('expected seconds, from 0.1 to 3600.');
  }
  return seconds;
}

export function parseRuns(text: string): number {
  return parseWhole(text, 2);
}

export function parseTolerance(
  text: string,
  earlier: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const at = text.lastIndexOf('=');
  const distance = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === '' || !(distance >= 0)) {
    throw new InvalidArgumentError('expected a metric and a distance, such as testAccuracy=0.005.');
  }
  return new Map(earlier).set(text.slice(0, at), distance);
}

export function parseCount(text: string): number {
  return parseWhole(text, 0);
}

function parseWhole(text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
  }
  return value;
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
  ).argParser(parseCountFromOne);
}

/** `--which`, for commands that read the state of a training. */
export function whichOption(): Option {
  return new Option('--which <state>', 'state of a training to use').choices(['best', 'last']);
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
