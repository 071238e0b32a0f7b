import type { ArgumentName } from './argument-table.ts';
import type { OriginalArguments } from './arguments.ts';
import { countFittingLayers, originalDatasets } from './data-sets.ts';

export interface Contradictions {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Arguments that this data set needs and that were not given. */
  readonly missing: readonly ArgumentName[];
}

const eventArguments = ['channels', 'number_layer', 'split_by'] as const;

/**
 * What arguments that are right by themselves say against each other.
 *
 * @param broken arguments of which something wrong was told already
 */
export function findContradictions(
  values: OriginalArguments,
  given: ReadonlySet<ArgumentName>,
  broken: ReadonlySet<ArgumentName>,
): Contradictions {
  const problems: string[] = [];
  const notes: string[] = [];
  const missing: ArgumentName[] = [];
  const areSound = (...names: readonly ArgumentName[]): boolean => names.every((name) => !broken.has(name));

  if (values.tau_per_neuron && !values.use_plif) {
    problems.push(
      '-tau_per_neuron without -use_plif: neurons whose τ is not learned all keep -init_tau, so there is nothing for each to have of its own.',
    );
  }
  if (values.tau_std_dev > 0 && !values.tau_per_neuron && areSound('tau_std_dev')) {
    problems.push(
      `-tau_std_dev ${values.tau_std_dev} without -tau_per_neuron: the one τ of a layer cannot be spread.`,
    );
  }
  if (values.reg_lambda > 0 && !values.tau_per_neuron && areSound('reg_lambda')) {
    problems.push(
      `-reg_lambda ${values.reg_lambda} without -tau_per_neuron: the original then adds no penalty, whatever its folder's name says. Leave it out, or give -tau_per_neuron.`,
    );
  }
  if (areSound('dataset_name')) {
    const dataset = originalDatasets[values.dataset_name];
    if (dataset.kind === 'undefined') problems.push(`-dataset_name ${values.dataset_name}: ${dataset.why}.`);
    if (dataset.kind === 'still') notes.push(...describeIgnored(values.dataset_name, given));
    if (dataset.kind === 'events') {
      missing.push(...eventArguments.filter((name) => !given.has(name)));
      const most = countFittingLayers(dataset.sensor);
      if (areSound('number_layer') && (values.number_layer ?? 0) > most) {
        problems.push(
          `-number_layer ${values.number_layer}: each layer halves the frame, and ${dataset.sensor.join(' x ')} pixels have room for ${most}.`,
        );
      }
    }
  }
  const card = /^cuda:(\d+)$/.exec(values.device ?? '')?.[1];
  if (card !== undefined && Number(card) > 0) {
    notes.push(
      `-device ${values.device}: the first card that is visible is taken; choose with CUDA_VISIBLE_DEVICES=${card}.`,
    );
  }
  return { problems, notes, missing };
}

function describeIgnored(dataset: string, given: ReadonlySet<ArgumentName>): string[] {
  const ignored = [...eventArguments, 'normalization' as const].filter((name) => given.has(name));
  if (ignored.length === 0) return [];
  const list = ignored.map((name) => `-${name}`).join(', ');
  return [`${list}: of event data only; the network of ${dataset} is fixed, as in the original.`];
}
