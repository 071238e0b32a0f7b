import { findOriginal, type OriginalName } from '../thesis/data-sets.ts';
import type { ArgumentName } from './argument-table.ts';
import type { OriginalArguments } from './arguments.ts';

export interface Contradictions {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Arguments that this data set requires but that were not given. */
  readonly missing: readonly ArgumentName[];
}

const eventArguments = ['channels', 'number_layer', 'split_by'] as const;

/** Why the original's script cannot train on a data set. */
const refusals: Partial<Record<OriginalName, string>> = {
  ASLDVS:
    'neither the thesis’ script nor Fang’s original code has a network for it: the class of that name only scales frames to 256 x 256',
};

/**
 * Finds contradictions between arguments that are valid on their own.
 *
 * @param broken arguments with problems that were reported already
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
      '-tau_per_neuron without -use_plif: if τ is not learned, all neurons keep -init_tau, so none has a τ of its own.',
    );
  }
  if (values.tau_std_dev > 0 && !values.tau_per_neuron && areSound('tau_std_dev')) {
    problems.push(
      `-tau_std_dev ${values.tau_std_dev} without -tau_per_neuron: the single τ of a layer has no spread.`,
    );
  }
  if (values.reg_lambda > 0 && !values.tau_per_neuron && areSound('reg_lambda')) {
    problems.push(
      `-reg_lambda ${values.reg_lambda} without -tau_per_neuron: the original then adds no penalty, despite the λ in its folder's name. ` +
        'Leave it out, or add -tau_per_neuron.',
    );
  }
  if (areSound('dataset_name')) {
    const dataset = findOriginal(values.dataset_name);
    if (dataset.kind === 'images') notes.push(...describeIgnored(values.dataset_name, given));
    const refusal = refusals[values.dataset_name];
    if (refusal !== undefined) {
      problems.push(
        `-dataset_name ${values.dataset_name}: ${refusal}. Here, profile ${dataset.profile} trains one.`,
      );
    } else if (dataset.kind === 'events') {
      missing.push(...eventArguments.filter((name) => !given.has(name)));
      const most = countFittingLayers(dataset.sensor);
      if (areSound('number_layer') && (values.number_layer ?? 0) > most) {
        problems.push(
          `-number_layer ${values.number_layer}: each layer halves the frame, and ${dataset.sensor.height} x ${dataset.sensor.width} pixels allow at most ${most} layers.`,
        );
      }
    }
  }
  const card = /^cuda:(\d+)$/.exec(values.device ?? '')?.[1];
  if (card !== undefined && Number(card) > 0) {
    notes.push(
      `-device ${values.device}: the first visible GPU is used; select one with CUDA_VISIBLE_DEVICES=${card}.`,
    );
  }
  return { problems, notes, missing };
}

function describeIgnored(dataset: string, given: ReadonlySet<ArgumentName>): string[] {
  const ignored = [...eventArguments, 'normalization' as const].filter((name) => given.has(name));
  if (ignored.length === 0) return [];
  const list = ignored.map((name) => `-${name}`).join(', ');
  return [`${list}: ignored, for event data only; the network for ${dataset} is fixed, as in the original.`];
}

/** The number of blocks that a frame of this size allows: each halves height and width. */
export function countFittingLayers({
  height,
  width,
}: {
  readonly height: number;
  readonly width: number;
}): number {
  return Math.floor(Math.log2(Math.min(height, width)));
}
