import { type Command, InvalidArgumentError, Option } from 'commander';

const exportExamples = `
SOURCE is a training (train@baseline,2020), a folder with best.safetensors, or a .safetensors or .pt file.

Examples:
  $ repro export train@baseline,2020 --to npz
  $ repro export train@no-reg,2020 --which last --to safetensors --out no-reg.safetensors`;

const importExamples = `
Reads what torch.save wrote, and runs nothing of it (docs/checkpoints.md). The options are for what a file does not say:
a state_dict has no pooling, for one.

Examples:
  $ repro import check_point_max.pt              into the folder check_point_max beside it
  $ repro import state.pt --pooling average --out imported`;

const evaluateExamples = `
SOURCE is what export takes, or a folder that import made. Frames come of the profile, brought up to date as by repro run frames.

Examples:
  $ repro evaluate check_point_max --profile full --set dataset.root=/data/DvsGesture
  $ repro evaluate train@baseline,2020 --split validation
  $ repro evaluate train@baseline,2020 --set frames.steps=16 --other-frames`;

/** Adds the commands for states of networks: `export`, `import`, `evaluate`. */
export function addCheckpointCommands(
  program: Command,
  withPipelineOptions: (command: Command) => Command,
): void {
  const which = (): Option =>
    new Option('--which <state>', 'which state of a training').choices(['best', 'last']);

  withPipelineOptions(program.command('export'))
    .description('write the state of a network for other programs')
    .argument('<source>', 'a training, a folder or a file')
    .addOption(
      new Option('--to <format>', 'for safetensors or NumPy')
        .choices(['safetensors', 'npz'])
        .makeOptionMandatory(),
    )
    .addOption(which())
    .option('-o, --out <file>', 'where to (default: here, named after the source)', parseName)
    .option('-f, --force', 'replace the file if there is one')
    .option('--json', 'print one JSON document')
    .addHelpText('after', exportExamples)
    .action(async (source, options) =>
      (await import('./export.ts')).exportState(source, { ...program.opts(), ...options }),
    );

  program
    .command('import')
    .description('read a checkpoint of the original, or a state_dict, from a .pt file of PyTorch')
    .argument('<file>', 'a file of torch.save')
    .option('-o, --out <folder>', 'where to (default: beside the file, named after it)', parseName)
    .option('-f, --force', 'replace the folder if an import made it')
    .addOption(new Option('--pooling <kind>', 'of a file that does not say').choices(['max', 'average']))
    .option('--tau <steps>', 'of LIF neurons in a file that does not say', parsePositive)
    .addOption(new Option('--reset <kind>', 'of a file that does not say').choices(['hard', 'soft']))
    .option('--input <size>', 'frames in pixels, HEIGHTxWIDTH, of a file that does not say', parseSize)
    .option('--steps <n>', 'of a network for still images in a file that does not say', parseCount)
    .option('--json', 'print one JSON document')
    .addHelpText('after', importExamples)
    .action(async (file, options) => (await import('./import.ts')).importFile(file, options));

  withPipelineOptions(program.command('evaluate'))
    .description("run a network's state over the clips of a profile")
    .argument('<source>', 'a training, a folder or a file')
    .addOption(
      new Option('--split <clips>', 'which clips').choices(['test', 'validation', 'train']).default('test'),
    )
    .addOption(which())
    .option(
      '--other-frames',
      'take frames that are made otherwise than those of its training, with a warning',
    )
    .addOption(new Option('--engine <name>', 'what computes').choices(['auto', 'tfjs']))
    .option('--json', 'print one JSON document')
    .addHelpText('after', evaluateExamples)
    .action(async (source, options) =>
      (await import('./evaluate.ts')).evaluate(source, { ...program.opts(), ...options }),
    );
}

function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('a name is wanted.');
  return text;
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 1 && Number.isFinite(value)))
    throw new InvalidArgumentError('a number of time steps above 1 is wanted.');
  return value;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1 is wanted.');
  return value;
}

function parseSize(text: string): [number, number] {
  const [, height, width] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (height === undefined || width === undefined) {
    throw new InvalidArgumentError('HEIGHTxWIDTH is wanted, such as 128x128.');
  }
  return [parseCount(height), parseCount(width)];
}
