/** The four command lines in the original's documentation, by the model of ours that each corresponds to. */
export const documentedCommands: Readonly<Record<string, readonly string[]>> = {
  baseline: command(''),
  'no-reg': command('-tau_std_dev 0.1 -tau_per_neuron'),
  'lambda-0.01': command('-tau_std_dev 0.1 -tau_per_neuron -reg_lambda 0.01'),
  'lambda-0.1': command('-tau_std_dev 0.1 -tau_per_neuron -reg_lambda 0.1'),
};

function command(more: string): string[] {
  return `-init_tau 2.0 -use_max_pool -device cuda:0 -dataset_name DVS128Gesture -log_dir_prefix DIR -T 20
    -max_epoch 1256 -detach_reset -channels 128 -number_layer 5 -split_by number -normalization None -use_plif ${more}`
    .trim()
    .split(/\s+/);
}

/** The shortest valid command line for event data. */
export const shortestCommand = words(
  '-init_tau 2.0 -device cpu -dataset_name DVS128Gesture -log_dir_prefix logs -T 4 -max_epoch 3 -channels 8 -number_layer 2 -split_by time',
);

/** Splits a command line without quotes. */
export function words(text: string): string[] {
  return text.split(' ');
}
