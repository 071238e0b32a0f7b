import * as v from 'valibot';
import { count, number, numbers, type Value } from '../../base/files/shape.ts';
import { readResult, refuse } from '../../results/result-file.ts';
import { DIFFERENCE_VERDICTS, VERDICTS } from '../../verdicts/verdicts.ts';

/** The frames of one split: which they are, and how many events of each polarity they hold. */
const framesShape = v.object({
  /** sha256 of the `.npy` file. */
  sha256: v.string(),
  /** sha256 of the list of clips, their recordings and classes, in clips.json. */
  list: v.string(),
  clips: count,
  /** Events that made a pixel darker and brighter; null for still images. */
  events: v.nullish(v.object({ off: count, on: count }), null),
});
export type FramesFacts = Value<typeof framesShape>;

/** A training batch as computed before its optimiser step. */
const batchShape = v.object({
  /** From 1. */
  batch: count,
  /** With the regulariser. */
  loss: number,
  /** Share of neurons that spike per step, for each spiking layer from input to output. */
  spikeRates: numbers,
});

/** The learning rate of an epoch, and measures of each spiking layer, from input to output. */
const layersShape = v.object({
  /** From 1. */
  epoch: count,
  learningRate: number,
  /** Means over the training batches. */
  spikeRates: numbers,
  /** Mean τ over the neurons, in time steps. */
  tauMeans: numbers,
  /** Standard deviation of τ over the neurons, in time steps; 0 where a layer has one τ. */
  tauStds: numbers,
});

const shares = v.array(v.nullable(number));

/** What one training and its evaluation gave. */
const runShape = v.object({
  model: v.string(),
  seed: count,
  /** The fact `engine` of the training, `native 0123456789ab avx512 GCC 12.4.0`. */
  engine: v.string(),
  /** The fact `engine` of the evaluation. */
  evaluationEngine: v.string(),
  /** Everything that affects the training, except the number of its epochs, by dotted key; in the file, what not all runs have alike. */
  settings: v.looseObject({}),
  epochs: count,
  /** Epoch of the evaluated checkpoint, from 1. */
  chosenEpoch: count,
  /** The epoch that the setting `compat.selection` prefers, by the accuracies that the training recorded; null if it recorded none. */
  preferredEpoch: v.nullish(count, null),
  /** Test clips that the training itself got right after the chosen epoch; null if it did not test then. */
  rightInTraining: v.nullish(count, null),
  /** For each spiking layer, from input to output: neurons × time steps × clips of a training batch. A spike rate is a share of these. */
  neuronSteps: numbers,
  /** Of the first batches: 1, 2, 4, 8, … and the last that was kept. */
  firstBatches: v.array(batchShape),
  /** Mean over the training batches of each epoch, with the regulariser. */
  trainLosses: numbers,
  /** The share of clips that were right in each epoch; null where none were run. Absent from older baselines. */
  accuracies: v.exactOptional(v.object({ train: shares, validation: shares, test: shares })),
  /** Epochs 1, 2, 4, 8, … and the last. */
  layers: v.array(layersShape),
  /** sha256 of best.safetensors and of predictions.csv. Absent from older baselines. */
  digests: v.exactOptional(v.object({ weights: v.string(), predictions: v.string() })),
  /** Which test clips were answered right. */
  test: v.object({
    clips: count,
    /** sha256 of the list of clips with their classes: answers to other clips are never compared. */
    list: v.string(),
    /** The clips that were answered wrong, by their rows as in predictions.csv, ascending; not in the file if the kept answers say so. */
    wrong: v.exactOptional(numbers),
    /** How many are right after each time step. */
    correctByStep: numbers,
    /** How many are right with their frames in another order, by the order's name. */
    correctByOrder: v.exactOptional(v.record(v.string(), count)),
    /** How many are right with the network's τ changed, with batch norm's statistics as trained and estimated again, by the change's name. */
    correctByTau: v.exactOptional(v.record(v.string(), numbers)),
    /** What was counted of what the network costs, by its name in evaluation.json (docs/cost.md). */
    cost: v.record(v.string(), number),
  }),
});
type KeptRun = Value<typeof runShape>;
export type RunFacts = KeptRun & { readonly test: { readonly wrong: readonly number[] } };

const shape = v.object({
  profile: v.string(),
  dataset: v.string(),
  simulated: v.boolean(),
  frames: v.object({ train: framesShape, test: framesShape }),
  /** Those that all runs have alike. */
  settings: v.optional(v.looseObject({}), {}),
  /** In the order of the profile's models, then of its seeds. */
  runs: v.array(runShape),
  /** The report's verdict on each published claim, by its id. */
  claims: v.record(v.string(), v.picklist(VERDICTS)),
  /** The report's verdict on each arm of the profile's question, by its model; absent if it asks nothing. */
  question: v.exactOptional(v.record(v.string(), v.picklist(DIFFERENCE_VERDICTS))),
});

/** What a run of a profile gave, to compare later runs with: the content of configs/baselines/<profile>.json. */
export type Baseline = Omit<Value<typeof shape>, 'settings' | 'runs'> & {
  readonly runs: readonly RunFacts[];
};

/** The test clips that each training of a committed result answered wrong, by `model@seed` and as in `RunFacts`. */
export type KeptAnswers = ReadonlyMap<string, readonly number[]>;

const keyOf = ({ model, seed }: Pick<RunFacts, 'model' | 'seed'>) => `${model}@${seed}`;

/** `simulated dvs128-gesture`. */
export function nameData({ dataset, simulated }: Pick<Baseline, 'dataset' | 'simulated'>): string {
  return `${simulated ? 'simulated ' : ''}${dataset}`;
}

export function findBaselineRun(
  baseline: Pick<Baseline, 'runs'>,
  { model, seed }: Pick<RunFacts, 'model' | 'seed'>,
): RunFacts | undefined {
  return baseline.runs.find((run) => run.model === model && run.seed === seed);
}

/** `baseline, seed 2020`. */
export function nameRun({ model, seed }: Pick<RunFacts, 'model' | 'seed'>): string {
  return `${model}, seed ${seed}`;
}

/** As in metrics.csv: spiking layers from input to output, from 0. */
export function nameLayer(layer: number): string {
  return `layer ${layer}`;
}

/**
 * Whether the details of an epoch, or of one of the first batches, are kept: 1, 2, 4, 8, … and the last. Early ones are compared tightly,
 * and short runs have them, too.
 */
export function isKept(number: number, last: number): boolean {
  return number === last || Number.isInteger(Math.log2(number));
}

/** Where a profile's baseline is, relative to the project. */
export function baselinePathOf(profile: string): string {
  return `configs/baselines/${profile}.json`;
}

/** Where the answers of a committed result are, if its profile asks a question. */
export function answersPathOf(profile: string): string {
  return `results/${profile}/answers.csv`;
}

const version = 1;
const about =
  'What a run of this profile gave, for ./repro check to compare later runs with: docs/check.md. ' +
  'Do not edit it: ./repro baseline update writes it and shows first what changes.';

/**
 * The text of a baseline: keys in a fixed order and a line for each fact and each list, so that git shows and merges changes run by run.
 * Settings that all runs have alike are there once, and answers that are kept elsewhere are not.
 */
export function formatBaseline(baseline: Baseline, kept: KeptAnswers = new Map()): string {
  const { profile, dataset, simulated, frames, runs, claims, question } = baseline;
  const [first, ...others] = runs.map(({ settings }) => settings);
  const common = Object.keys(first ?? {}).filter((key) =>
    others.every((settings) => isSame(settings[key], first![key])),
  );
  const content = {
    about,
    version,
    profile,
    dataset,
    simulated,
    frames,
    settings: sortKeys(first ?? {}, (key) => common.includes(key)),
    runs: runs.map((run) => {
      const { wrong, ...test } = run.test;
      return {
        ...run,
        settings: sortKeys(run.settings, (key) => !common.includes(key)),
        test: isSame(wrong, kept.get(keyOf(run))) ? test : run.test,
      };
    }),
    claims: sortKeys(claims),
    ...(question === undefined ? {} : { question: sortKeys(question) }),
  };
  // Lists without objects in them go on one line.
  const text = JSON.stringify(content, null, 1).replaceAll(
    /\[\n\s*([^[\]{}]*?)\n\s*\]/g,
    (_, values: string) => `[${values.replaceAll(/\n\s*/g, ' ')}]`,
  );
  return `${text}\n`;
}

// Both were read from JSON, or written in the order of the code.
const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function sortKeys<T>(values: { readonly [key: string]: T }, isKept = (_: string) => true) {
  const keys = Object.keys(values).filter(isKept).sort();
  return Object.fromEntries(keys.map((key) => [key, values[key]!]));
}

/**
 * @param file its name in messages
 * @param kept as in `formatBaseline`
 * @throws {ReproError} `baseline-invalid` naming the field: damaged, of another version or profile, or of another run than its answers
 */
export function parseBaseline(
  text: string,
  profile: string,
  file: string,
  kept: KeptAnswers = new Map(),
): Baseline {
  const fix = `Restore it from git, or write it again: ./repro baseline update --profile ${profile}`;
  const from = { file, text, fix, code: 'baseline-invalid' };
  const { settings, runs, ...baseline } = readResult(from, shape, version);
  if (baseline.profile !== profile)
    refuse(from, `field "profile" is "${baseline.profile}", but the file is that of profile "${profile}"`);
  const complete = (run: KeptRun, index: number): RunFacts => {
    const { clips, correctByStep, wrong = kept.get(keyOf(run)) } = run.test;
    const where = `field "runs[${index}].test.wrong" is missing, and ${answersPathOf(profile)}`;
    if (wrong === undefined) return refuse(from, `${where} has no answers of ${nameRun(run)}`);
    if (run.test.wrong === undefined && clips - wrong.length !== correctByStep.at(-1))
      refuse(from, `${where} has the answers of another run`);
    return { ...run, settings: { ...settings, ...run.settings }, test: { ...run.test, wrong } };
  };
  return { ...baseline, runs: runs.map(complete) };
}
