import type { ArgumentName } from './argument-table.ts';
import type { ParsedArguments } from './arguments.ts';
import { formatPythonFloat } from './python-numbers.ts';

/** The original's folders for event files and for checkpoints, both directly in `-log_dir_prefix`. */
export interface FolderNames {
  readonly log: string;
  readonly checkpoints: string;
}

/** The names of a run's folders, exactly as the original writes them. */
export function nameFolders({ values, given }: ParsedArguments): FolderNames {
  const float = (name: 'init_tau' | 'tau_std_dev' | 'reg_lambda' | 'val_ratio'): string =>
    printFloat(values[name], name, given);
  const parts = [
    `val_${float('val_ratio')}`,
    values.dataset_name,
    `init_tau_${float('init_tau')}`,
    `tau_std_dev_${float('tau_std_dev')}`,
    `use_plif_${printFlag(values.use_plif)}`,
    `use_max_pool_${printFlag(values.use_max_pool)}`,
    `T_${values.T}`,
    `c_${values.channels ?? 'None'}`,
    `n_${values.number_layer ?? 'None'}`,
    `split_by_${values.split_by ?? 'None'}`,
    `normalization_${values.normalization ?? 'None'}`,
    `detach_reset_${printFlag(values.detach_reset)}`,
    `tau_per_neuron_${printFlag(values.tau_per_neuron)}`,
    `lambda_reg_${float('reg_lambda')}`,
  ];
  const log = parts.join('_');
  return { log, checkpoints: `pt_${log}` };
}

/** Numbers given on the command line are floats; the script's own zeros are integers and stay so. */
function printFloat(value: number, name: ArgumentName, given: ReadonlySet<ArgumentName>): string {
  return !given.has(name) && Number.isInteger(value) ? String(value) : formatPythonFloat(value);
}

function printFlag(value: boolean): string {
  return value ? 'True' : 'False';
}
