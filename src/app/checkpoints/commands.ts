import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  lazily,
  parseName,
  threadsOption,
  whichOption,
  wholeFrom,
  withPipelineOptions,
} from '../options/options.ts';
import { engineChoices } from '../project/option-choices.ts';

const importExamples = `
Reads a file without executing anything in it (docs/checkpoints.md). The options supply what a
file does not specify: a state_dict, for example, does not contain the kind of pooling.

Examples:
  $ repro import check_point_max.pt              to check_point_max.safetensors next to it
  $ repro import state.pt --pooling average --out imported.safetensors`;

const evaluateExamples = `
SOURCE is anything that export accepts. The frames are those of the profile. If they are not up to date, this runs what
\`repro run frames\` runs.

Examples:
  $ repro evaluate check_point_max.pt --profile full --set dataset.root=/data/DvsGesture
  $ repro evaluate train@baseline,2020 --set frames.steps=16 --other-frames`;

/** Adds the commands for network states, besides `export state`: `import`, `evaluate`. */
export function addCheckpointCommands(program: Command): void {
  program
    .command('import')
    .description('convert a .pt or .safetensors file: a checkpoint of the original or a state_dict')
    .argument('<file>', 'a file written by torch.save, or safetensors from another program')
    .option('-o, --out <file>', 'output file (default: next to the file, named after it)', parseName)
    .option('-f, --force', 'replace an existing file')
    .addOption(
      new Option('--pooling <kind>', 'pooling to assume if the file does not specify it').choices([
        'max',
        'average',
      ]),
    )
    .option('--tau <steps>', 'τ of LIF neurons to assume if the file does not specify it', parseTau)
    .addOption(
      new Option('--reset <kind>', 'reset to assume if the file does not specify it').choices([
        'hard',
        'soft',
      ]),
    )
    .option('--input <size>', 'frame size in pixels to assume, HEIGHTxWIDTH, such as 128x128', parseSize)
    .option('--steps <n>', 'time steps to assume for a network for still images', wholeFrom(1))
    .option('--json', 'print one JSON document')
    .addHelpText('after', importExamples)
    .action(lazily(async () => (await import('./checkpoints.ts')).importFile));

  withPipelineOptions(program.command('evaluate'))
    .description("measure a network's accuracy on the test clips of a profile")
    .argument('<source>', 'a stage instance, a folder or a file')
    .addOption(whichOption())
    .option(
      '--other-frames',
      'allow frames that were made with other settings than those of the training, with a warning',
    )
    .addOption(new Option('--engine <name>', 'engine to compute with').choices(engineChoices))
    .addOption(threadsOption())
    .option('--json', 'print one JSON document')
    .addHelpText('after', evaluateExamples)
    .action(lazily(async () => (await import('./checkpoints.ts')).evaluate));
}

function parseTau(text: string): number {
  const value = Number(text);
  if (value >= 1 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number of time steps of at least 1.');
}

function parseSize(text: string): [number, number] {
  const [, height, width] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (height === undefined || width === undefined) {
    throw new InvalidArgumentError('expected HEIGHTxWIDTH, such as 128x128.');
  }
  const parse = wholeFrom(1);
  return [parse(height), parse(width)];
}
