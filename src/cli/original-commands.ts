import { type Command, Option } from 'commander';
import { describeArguments, type Purpose } from '../original/argument-table.ts';
import { compatPresetNames } from '../original/compat-presets.ts';

const trainExamples = `
Example, the thesis' baseline:
  $ repro train-val -init_tau 2.0 -use_max_pool -device cuda:0 -dataset_name DVS128Gesture -log_dir_prefix logs \\
      -T 20 -max_epoch 1256 -detach_reset -channels 128 -number_layer 5 -split_by number -normalization None \\
      -use_plif --set dataset.root=/data/DvsGesture

Without recordings, to try it out: --profile quick trains on simulated ones.`;

const configExample = `
Example:
  $ repro config from-args -init_tau 2.0 -use_max_pool -dataset_name DVS128Gesture -T 20 -max_epoch 1256 -detach_reset \\
      -channels 128 -number_layer 5 -split_by number -use_plif > configs/models/mine.yaml`;

/**
 * The commands that take the original's command line. Its arguments have one dash and long names, which commander knows nothing of: it
 * leaves them alone, as long as these commands have no option of one letter, and hands them on.
 */
export function addOriginalCommands(program: Command): void {
  takeArguments(program.command('train-val'), 'training')
    .description("train as the original's train_val.py does: its arguments, its folders, its curves")
    .option('--profile <name>', 'where the recordings are (default: full, or nmnist for NMNIST)')
    .option(
      '--set <key=value>',
      'override what a profile says of the recordings, as in dataset.root=DIR; may be repeated',
      (value: string, earlier: readonly string[]) => [...earlier, value],
      [],
    )
    .addOption(new Option('--engine <name>', 'what computes, over -device').choices(['auto', 'tfjs']))
    .option('--json', 'print run.json to stdout at the end')
    .addHelpText('after', trainExamples)
    .action(async (words, options) =>
      (await import('./train-val.ts')).trainVal(words, { ...program.opts(), ...options }),
    );

  const config = program.command('config').description('configuration files');
  takeArguments(config.command('from-args'), 'configuration')
    .description("print the model's file that says what the original's arguments say")
    .option('--json', 'print one JSON document: the model, what belongs to a profile, the original’s folders')
    .addHelpText('after', configExample)
    .action(async (words, options) =>
      (await import('./config.ts')).configFromArguments(words, { ...program.opts(), ...options }),
    );
}

function takeArguments(command: Command, purpose: Purpose): Command {
  return command
    .argument('[argument...]', "the original's arguments, each with one dash, as listed below")
    .allowUnknownOption()
    .addOption(
      new Option('--compat <preset>', 'which side to take where the original disagrees with itself')
        .choices(compatPresetNames)
        .default('intent'),
    )
    .addHelpText('after', () => `\nThe original's arguments:\n${describeArguments(purpose).join('\n')}`);
}
