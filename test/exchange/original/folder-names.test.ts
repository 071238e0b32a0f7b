import { expect, it } from 'vitest';
import { parseArguments } from '../../../src/exchange/original/arguments.ts';
import { nameFolders } from '../../../src/exchange/original/preparation.ts';
import { documentedCommands, shortestCommand, words } from './documented-commands.ts';

const logFolder = (given: readonly string[]) => nameFolders(parseArguments(given)).log;

it.each([
  ['baseline', '0', 'False', '0'],
  ['no-reg', '0.1', 'True', '0'],
  ['lambda-0.01', '0.1', 'True', '0.01'],
  ['lambda-0.1', '0.1', 'True', '0.1'],
])('the folders of %s are called as the original calls them', (model, std, perNeuron, lambda) => {
  const name = `val_0.15_DVS128Gesture_init_tau_2.0_tau_std_dev_${std}_use_plif_True_use_max_pool_True_T_20_c_128_n_5_split_by_number_normalization_None_detach_reset_True_tau_per_neuron_${perNeuron}_lambda_reg_${lambda}`;
  expect(nameFolders(parseArguments(documentedCommands[model]!))).toEqual({
    log: name,
    checkpoints: `pt_${name}`,
  });
});

it('an explicit zero is a float in the name, the script’s own zero an integer', () => {
  expect(logFolder([...shortestCommand, ...words('-tau_std_dev 0 -reg_lambda 0')])).toBe(
    'val_0.15_DVS128Gesture_init_tau_2.0_tau_std_dev_0.0_use_plif_False_use_max_pool_False_T_4_c_8_n_2_split_by_time_normalization_None_detach_reset_False_tau_per_neuron_False_lambda_reg_0.0',
  );
});

it('small numbers are written with Python’s exponents', () => {
  const given = [...shortestCommand, ...words('-val_ratio 1e-1 -use_plif -tau_per_neuron -reg_lambda 1e-5')];
  expect(logFolder(given)).toMatch(/^val_0\.1_.*_lambda_reg_1e-05$/);
});

it('arguments that do not apply to still images are None', () => {
  const given = words('-init_tau 2 -device cpu -dataset_name MNIST -log_dir_prefix logs -T 8 -max_epoch 10');
  expect(logFolder(given)).toBe(
    'val_0.15_MNIST_init_tau_2.0_tau_std_dev_0_use_plif_False_use_max_pool_False_T_8_c_None_n_None_split_by_None_normalization_None_detach_reset_False_tau_per_neuron_False_lambda_reg_0',
  );
});

it('seed, batch size and learning rate are not in the name', () => {
  const given = [...shortestCommand, ...words('-seed 1 -batch_size 4 -learning_rate 0.1 -T_max 3')];
  expect(logFolder(given)).toBe(logFolder(shortestCommand));
});
