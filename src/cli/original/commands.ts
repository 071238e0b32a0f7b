import { type Command, Option } from 'commander';
import {
  COMPAT_PRESET_NAMES,
  describeArguments,
  engineChoices,
  type Purpose,
} from '../../apps/option-choices.ts';
import { collect, threadsOption } from '../options/options.ts';

const trainExamples = `
Example, the thesis' baseline:
  $ repro train-val -init_tau 2.0 -use_max_pool -device cuda:0 -dataset_name DVS128Gesture -log_dir_prefix logs \\
      -T 20 -max_epoch 1256 -detach_reset -channels 128 -number_layer 5 -split_by number -normalization None \\
      -use_plif --set dataset.root=/data/DvsGesture

To try it without recordings, use --profile quick, which trains on simulated ones. \`repro data list\` says how to get the others.`;

const configExample = `
Example:
  $ repro config from-args -init_tau 2.0 -use_max_pool -dataset_name DVS128Gesture -T 20 -max_epoch 1256 -detach_reset \\
      -channels 128 -number_layer 5 -split_by number -use_plif > configs/models/mine.yaml`;

/**
 * The commands that accept the original's command line. Its arguments have one dash and long names, which commander does not support: it
 * passes them on as they are, as long as these commands have no one-letter options.
 */
export function addOriginalCommands(program: Command): void {
  takeArguments(program.command('train-val'), 'training')
    .description("train like the original's train_val.py: same arguments, same folders, same curves")
    .option(
      '--profile <name>',
      'profile with the data (default: that of -dataset_name, such as full for DVS128Gesture)',
    )
    .addOption(
      new Option(
        '--set <key=value>',
        'override a setting of the recordings, as in dataset.root=DIR; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--engine <name>', 'engine to compute with; overrides -device').choices(engineChoices),
    )
    .addOption(threadsOption())
    .option('--json', 'print run.json to stdout at the end')
    .addHelpText('after', trainExamples)
    .action(async (words, options) =>
      (await import('./train-val.ts')).trainVal(words, { ...program.opts(), ...options }),
    );

  const config = program
    .command('config')
    .description('configuration files')
    .addHelpText('after', configExample);
  takeArguments(config.command('from-args'), 'configuration')
    .description("print the model file that is equivalent to the original's arguments")
    .option(
      '--json',
      'print one JSON document with the model, the profile settings and the original’s folder names',
    )
    .addHelpText('after', configExample)
    .action(async (words, options) =>
      (await import('./config.ts')).configFromArguments(words, { ...program.opts(), ...options }),
    );
}

function takeArguments(command: Command, purpose: Purpose): Command {
  return command
    .argument('[argument...]', "the original's arguments, each with one dash; listed below")
    .allowUnknownOption()
    .addOption(
      new Option(
        '--compat <preset>',
        'what to follow where paper, code and runs disagree (docs/deviations.md): what the thesis means, what its runs did as far as is known, or its published script as it is',
      )
        .choices(COMPAT_PRESET_NAMES)
        .default('intent'),
    )
    .addHelpText('after', () => `\nThe original's arguments:\n${describeArguments(purpose).join('\n')}`);
}
