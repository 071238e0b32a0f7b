import type { ReproError } from '../errors.ts';
import { applyCompat } from './apply-compat.ts';
import { type Compat, readCompat } from './compat.ts';
import { type NetworkSection, readNetwork, settleTau } from './network-section.ts';
import { asSection, mergeSections, SectionReader } from './section-reader.ts';
import { SettingOrigins } from './setting-origins.ts';

export type { NetworkSection } from './network-section.ts';

/** How a network is trained; epochs count from 0 in files and from 1 in messages. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** T_max of the cosine annealing, in epochs. */
  readonly cosineHalfPeriod: number;
  /** The share of each class's training clips held back for validation, from 0 (none, and no validation) to 1. */
  readonly validationShare: number;
  /** Run the test clips every so many epochs, and after the last. */
  readonly testEvery: number;
  /** λ of the regulariser λ · Σ Var(w). */
  readonly regulariseTau: number;
}

/** A model's file with the profile's overrides and the switches applied. */
export interface ResolvedModel {
  readonly title: string;
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** The switches in force; one with no effect is at its default. Those that change network or training settings have done so. */
  readonly compat: Compat;
  /** Settings that are valid but have no effect. */
  readonly warnings: readonly string[];
}

/**
 * Applies a profile's `train:` section to a model: `train.network` overrides the model's `network`, `train.compat` its `compat`, the
 * rest its `train`. Nested sections are merged key by key. Then applies the switches.
 *
 * @param model configs/models/<id>.yaml, parsed
 * @param overrides the profile's `train:` section; the caller handles its `engine`
 * @param file the model's file, for messages
 * @param placeOf where a profile key such as `train.network.layers` was set; by default, messages say "the profile or --set"
 * @throws {ReproError} `model-invalid` naming the key and where it was set, `compat-impossible` for an impossible switch
 */
export function resolveModel(
  model: unknown,
  overrides: unknown,
  file: string,
  placeOf?: (key: string) => string,
): ResolvedModel {
  const origins = new SettingOrigins(file, overrides ?? {}, placeOf);
  const read = new SectionReader(origins, model);
  const {
    network: networkOverrides = {},
    compat: compatOverrides = {},
    engine: _engine,
    ...trainOverrides
  } = asSection(overrides ?? {}, origins, 'train');
  const network = mergeSections(
    read.section('network'),
    asSection(networkOverrides, origins, 'train.network'),
  );
  const switches = mergeSections(
    read.has('compat') ? read.section('compat') : {},
    asSection(compatOverrides, origins, 'train.compat'),
  );
  const train = new SectionReader(origins, mergeSections(read.section('train'), trainOverrides), 'train.');
  const loss = new SectionReader(origins, read.section('loss'), 'loss.');
  const compat = readCompat(switches, origins);
  const settled = settleTau(readNetwork(network, origins), origins);
  const switched = applyCompat(
    {
      network: settled.network,
      training: {
        epochs: train.count('epochs'),
        batchSize: train.count('batchSize'),
        learningRate: train.number('learningRate', (value) => value > 0, 'a number above 0'),
        cosineHalfPeriod: train.count('cosineHalfPeriod'),
        validationShare: train.number('validationShare', (v) => v >= 0 && v < 1, 'a share from 0 to below 1'),
        testEvery: train.count('testEvery', 1),
        regulariseTau: loss.number('regulariseTau', (value) => value >= 0, 'a number of at least 0'),
      },
    },
    compat,
    { origins, batchSizeIsSet: trainOverrides.batchSize !== undefined },
  );
  const { neuron, tau } = switched.network;
  const isUnheld = switched.training.validationShare === 0 && switched.compat.selection === 'validation';
  if (isUnheld && switches.selection !== undefined) throw noValidationError(origins);
  const warnings = [...switched.warnings, ...settled.warnings];
  let { training } = switched;
  if (training.regulariseTau > 0 && !(neuron === 'plif' && tau.per === 'neuron')) {
    const lambda = String(training.regulariseTau);
    warnings.push(
      origins.warnOfNoEffect('loss.regulariseTau', lambda, 'no neuron has a learned τ of its own'),
    );
    training = { ...training, regulariseTau: 0 };
  }
  // Without clips to choose on, the last epoch is kept, as long as nothing else is asked for.
  const kept: Compat = isUnheld ? { ...switched.compat, selection: 'last' } : switched.compat;
  return { title: read.text('title'), ...switched, training, compat: kept, warnings };
}

function noValidationError(origins: SettingOrigins): ReproError {
  return origins.refuse(
    'compat-impossible',
    'compat.selection',
    'validation chooses an epoch on the validation clips, and `train.validationShare: 0` holds none back.',
    'Remove the switch, to keep the last epoch, use `best-test`, or hold clips back (`train.validationShare: 0.15`).',
  );
}
