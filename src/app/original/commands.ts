import { type Command, Option } from 'commander';
import { collect, lazily, threadsOption } from '../options/options.ts';
import { COMPAT_PRESET_NAMES, describeArguments, engineChoices } from '../project/option-choices.ts';

const trainExamples = `
Example, the thesis' baseline:
  $ repro train-val -init_tau 2.0 -use_max_pool -device cuda:0 -dataset_name DVS128Gesture -log_dir_prefix logs \\
      -T 20 -max_epoch 1256 -detach_reset -channels 128 -number_layer 5 -split_by number -normalization None \\
      -use_plif --set dataset.root=/data/DvsGesture

To try it without recordings, use --profile quick, which trains on simulated ones. \`repro data list\` says how to get the others.`;

/**
 * The command that accepts the original's command line. Its arguments have one dash and long names, which commander does not support: it
 * passes them on as they are, as long as the command has no one-letter options.
 */
export function addOriginalCommands(program: Command): void {
  program
    .command('train-val')
    .description("train like the original's train_val.py: same arguments, same folders, same curves")
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
    .addHelpText('after', () => `\nThe original's arguments:\n${describeArguments().join('\n')}`)
    .addHelpText('after', trainExamples)
    .action(lazily(async () => (await import('./train-val.ts')).trainVal));
}
