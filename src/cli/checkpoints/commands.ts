import { type Command, InvalidArgumentError, Option } from 'commander';
import { engineChoices } from '../../engines/engine.ts';
import { withPipelineOptions } from '../options/pipeline-options.ts';
import { threadsOption } from '../options/threads.ts';

const exportExamples = `
SOURCE is a stage instance (train@baseline,2020), a folder with best.safetensors, or a .safetensors or .pt file.

Examples:
  $ repro export state train@baseline,2020 --to npz
  $ repro export state train@no-reg,2020 --which last --to safetensors --out no-reg.safetensors`;

const importExamples = `
Reads a file without executing anything in it (docs/checkpoints.md). The options supply what a
file does not specify: a state_dict, for example, does not contain the kind of pooling.

Examples:
  $ repro import check_point_max.pt              into the folder check_point_max next to it
  $ repro import state.pt --pooling average --out imported`;

const evaluateExamples = `
SOURCE is anything that export accepts, or a folder written by import. The frames are those of the profile; they are brought
up to date as by repro run frames.

Examples:
  $ repro evaluate check_point_max --profile full --set dataset.root=/data/DvsGesture
  $ repro evaluate train@baseline,2020 --split validation
  $ repro evaluate train@baseline,2020 --set frames.steps=16 --other-frames`;

const whichOption = (): Option =>
  new Option('--which <state>', 'state of a training to use').choices(['best', 'last']);

/** Adds `export state`, which is also what `export` does without another word. */
export function addExportState(group: Command, program: Command): void {
  withPipelineOptions(group.command('state', { isDefault: true }))
    .description(
      'write the state of a network in a format for other programs; the word state may be left out',
    )
    .argument('<source>', 'a stage instance, a folder or a file')
    .addOption(
      new Option('--to <format>', 'format to write: safetensors or NumPy’s npz')
        .choices(['safetensors', 'npz'])
        .makeOptionMandatory(),
    )
    .addOption(whichOption())
    .option(
      '-o, --out <file>',
      'output file (default: in the current folder, named after the source)',
      parseName,
    )
    .option('-f, --force', 'replace an existing file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', exportExamples)
    .action(async (source, options) =>
      (await import('./export.ts')).exportState(source, { ...program.opts(), ...options }),
    );
}

/** Adds the other commands for network states: `import`, `evaluate`. */
export function addCheckpointCommands(program: Command): void {
  program
    .command('import')
    .description('convert a .pt or .safetensors file: a checkpoint of the original or a state_dict')
    .argument('<file>', 'a file written by torch.save, or safetensors from another program')
    .option('-o, --out <folder>', 'output folder (default: next to the file, named after it)', parseName)
    .option('-f, --force', 'replace an existing folder if an import wrote it')
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
    .option('--steps <n>', 'time steps to assume for a network for still images', parseCount)
    .option('--json', 'print one JSON document')
    .addHelpText('after', importExamples)
    .action(async (file, options) => (await import('./import.ts')).importFile(file, options));

  withPipelineOptions(program.command('evaluate'))
    .description("measure a network's accuracy on the clips of a profile")
    .argument('<source>', 'a stage instance, a folder or a file')
    .addOption(
      new Option('--split <clips>', 'clips to evaluate')
        .choices(['test', 'validation', 'train'])
        .default('test'),
    )
    .addOption(whichOption())
    .option(
      '--other-frames',
      'allow frames that were made with other settings than those of its training (with a warning)',
    )
    .addOption(new Option('--engine <name>', 'engine to compute with').choices(engineChoices))
    .addOption(threadsOption())
    .option('--json', 'print one JSON document')
    .addHelpText('after', evaluateExamples)
    .action(async (source, options) =>
      (await import('./evaluate.ts')).evaluate(source, { ...program.opts(), ...options }),
    );
}

function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('expected a name.');
  return text;
}

function parseTau(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && Number.isFinite(value)))
    throw new InvalidArgumentError('expected a number of time steps of at least 1.');
  return value;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return value;
}

function parseSize(text: string): [number, number] {
  const [, height, width] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (height === undefined || width === undefined) {
    throw new InvalidArgumentError('expected HEIGHTxWIDTH, such as 128x128.');
  }
  return [parseCount(height), parseCount(width)];
}
