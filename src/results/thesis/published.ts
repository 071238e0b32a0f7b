/** Settings by dotted path, as in a model's file: `tau.per`. */
type ModelSettings = Readonly<Record<string, string | number | boolean>>;

/** What the thesis sets for one of its models. */
interface ThesisModel {
  readonly network: ModelSettings;
  readonly loss: ModelSettings;
  readonly train: ModelSettings;
}

/**
 * What the thesis says, independently of the files in `configs/`, which a user may edit.
 *
 * @see Pazderka 2024, sec. 2.5 (network, hyperparameters), 4.1 (clips), 4.2 (the three new models) and table 1
 */
export const THESIS = {
  author: 'A. Pazderka',
  title:
    'The role of membrane time constant in the training of spiking neural networks: improving accuracy by per-neuron learning',
  where: 'BSc thesis, TU Delft, 2024',
  dataset: 'dvs128-gesture',
  datasetTitle: 'DVS128 Gesture',
  /**
   * The paper's clip counts. Its 1,056 are 12 from each of 88 recordings: the published converter drops the last ten of 98 when
   * it runs with 11 processes.
   */
  clips: { train: 900, validation: 156, test: 288 },
  frames: { steps: 20, splitBy: 'number', normalization: 'none', height: 128, width: 128 },
} as const;

/** The slope of the arctan surrogate, which no argument of the published script changes. */
export const SURROGATE_ALPHA = 2;

/** Batch sizes: that of the published script and of its documented commands, and that of the models with one τ per neuron (sec. 4.2). */
export const BATCH_SIZES = { documented: 16, perNeuron: 32 } as const;

/** The published code starts neurons that share a τ per layer at this τ (w = 0), and ignores its argument. */
export const LAYER_TAU = 2;

/** The recordings that the published converter reached with 12 processors: 11 workers with floor(98 / 11) = 8 each. */
export const CONVERTED_RECORDINGS = 88;

/** What all published networks have in common. */
const neurons = {
  'reset.kind': 'hard',
  'reset.detach': true,
  'surrogate.kind': 'atan',
  'surrogate.alpha': SURROGATE_ALPHA,
  'surrogate.learnable': false,
} as const;

const network = {
  layers: 5,
  channels: 128,
  pooling: 'max',
  neuron: 'plif',
  'tau.mean': 2,
  ...neurons,
  hidden: 512,
  votes: 10,
  dropout: 0.5,
  threshold: 1,
} as const;

/** The same in every published training. */
const schedule = { learningRate: 0.001, tauRate: 1, frameOrder: 'recorded', cosineHalfPeriod: 64 } as const;

const train = { epochs: 1256, testEvery: 1, ...schedule, validationShare: 0.15 } as const;

/** @param batchSize for the three new models, sec. 4.2; the baseline's is from Fang et al. 2021, and ran at 24 and 32 too (sec. 3.1) */
function describeModel(
  per: 'layer' | 'neuron',
  std: number,
  regulariseTau: number,
  batchSize: number,
): ThesisModel {
  return {
    network: { ...network, 'tau.per': per, 'tau.std': std },
    loss: { regulariseTau },
    train: { ...train, batchSize },
  };
}

/** The four models of table 1, by their name there. */
export const THESIS_MODELS: ReadonlyMap<string, ThesisModel> = new Map([
  ['Baseline', describeModel('layer', 0, 0, BATCH_SIZES.documented)],
  ['No Reg.', describeModel('neuron', 0.1, 0, BATCH_SIZES.perNeuron)],
  ['λ = .01', describeModel('neuron', 0.1, 0.01, BATCH_SIZES.perNeuron)],
  ['λ = .1', describeModel('neuron', 0.1, 0.1, BATCH_SIZES.perNeuron)],
]);

/** In what the other networks of Fang et al. 2021 differ from the baseline, by their name in a model's file. */
export const FANG_NETWORKS: ReadonlyMap<string, ModelSettings> = new Map([
  ['PLIF from τ = 16', { 'tau.mean': 16 }],
  ['LIF with τ = 2', { neuron: 'lif' }],
  ['LIF with τ = 16', { neuron: 'lif', 'tau.mean': 16 }],
  ['PLIF with average pooling', { pooling: 'average' }],
]);

/**
 * The clips of DVS128 Gesture for its accuracy A: 58 batches of 16 an epoch in the event files fit 936 clips, which are the 803 + 133 in the
 * log of accuracy B: 78 of the 98 recordings, 12 clips each.
 */
const FANG_CLIPS = { train: 936, validation: 0, test: 288 } as const;

/** For its accuracy A: the epochs in the event files, which are those of the README's commands for accuracy B. */
const FANG_TRAINING = { epochs: 1024, validationShare: 0 } as const;

/** What a model's file says about its published accuracies: maxima over all epochs. */
export type PublishedResult =
  | { readonly source: 'thesis'; readonly name: string; readonly test: number; readonly validation: number }
  | { readonly source: 'fang'; readonly name: string; readonly test: number; readonly validation: null };

interface HasPublished {
  readonly published: PublishedResult | null;
}

/** The published settings of a model of the thesis or of Fang et al. 2021; undefined for any other model. */
export function findPublishedModel({ published }: HasPublished): ThesisModel | undefined {
  if (published?.source === 'thesis') return THESIS_MODELS.get(published.name);
  const own = FANG_NETWORKS.get(published?.name ?? '');
  if (own === undefined) return undefined;
  const base = describeModel('layer', 0, 0, BATCH_SIZES.documented);
  return { ...base, network: { ...base.network, ...own }, train: { ...base.train, ...FANG_TRAINING } };
}

/**
 * What was published of a model; null if it was trained on another share of the clips than these runs: the thesis held clips back for
 * validation, Fang et al. did not.
 */
export function findPublished({
  published,
  runs,
}: HasPublished & {
  readonly runs: readonly { readonly clips: { readonly validation: number } }[];
}): PublishedResult | null {
  const differs = runs.some(({ clips }) => clips.validation > 0 !== (published?.source === 'thesis'));
  return differs ? null : published;
}

/** Everything that was published of how a model was trained; what is missing is not compared. */
export interface PublishedSettings extends ThesisModel {
  readonly frames: ModelSettings;
  readonly clips: ModelSettings;
}

/** What was published of a model's settings; for one that is neither of the thesis nor of Fang et al., the data of the thesis alone. */
export function publishedSettings(model: HasPublished): PublishedSettings {
  const { frames } = THESIS;
  const clips = model.published?.source === 'fang' ? FANG_CLIPS : THESIS.clips;
  return { network: {}, loss: {}, train: {}, ...findPublishedModel(model), frames, clips };
}

/** What a data set's file says about that. */
interface TrainedOn {
  readonly kind: 'events' | 'images';
  readonly sensor?: { readonly height: number; readonly width: number };
  readonly network?: {
    readonly steps: number;
    readonly stepsB?: number;
    readonly channels: number;
    readonly layers?: number;
  };
}

/**
 * The published settings of a network of Fang et al. 2021 on a data set, by the tables and commands of its README.
 *
 * @param tests the number of its test clips or images
 * @param isValidated whether clips were held back for validation: accuracy B
 */
export function fangSettings(
  facts: TrainedOn,
  { neuron, tau, pooling }: { readonly neuron: string; readonly tau: number; readonly pooling: string },
  tests: number,
  isValidated: boolean,
): PublishedSettings {
  const trained = facts.network;
  const { splitBy, normalization } = THESIS.frames;
  return {
    frames: {
      ...(trained === undefined
        ? {}
        : { steps: (isValidated ? trained.stepsB : undefined) ?? trained.steps }),
      ...(facts.kind === 'images' ? {} : { splitBy, normalization }),
      ...facts.sensor,
    },
    network: {
      ...(trained === undefined ? {} : { channels: trained.channels }),
      ...(trained?.layers === undefined ? {} : { layers: trained.layers }),
      neuron,
      pooling,
      'tau.per': 'layer',
      'tau.mean': tau,
      ...neurons,
      dropout: network.dropout,
      threshold: network.threshold,
    },
    loss: { regulariseTau: 0 },
    train: schedule,
    clips: { test: tests },
  };
}

/** `the thesis`, or both papers if there are models of either. */
export function nameSource(models: readonly HasPublished[]): string {
  return models.some(({ published }) => published?.source === 'fang')
    ? 'the thesis and Fang et al. 2021'
    : 'the thesis';
}

/** Why results must not be compared with the thesis; null if they may be. */
type Incomparable = 'simulated' | 'other-dataset' | 'folds' | null;

interface Tested {
  readonly models: readonly { readonly runs: readonly { readonly testUsers?: readonly number[] }[] }[];
}

export function judgeComparability(
  results: Tested & { readonly dataset: { readonly name: string }; readonly simulated: boolean },
): Incomparable {
  if (results.simulated) return 'simulated';
  if (results.dataset.name !== THESIS.dataset) return 'other-dataset';
  return hasFolds(results) ? 'folds' : null;
}

/** Whether each seed tests the people of a fold, instead of the published test clips. */
export function hasFolds({ models }: Tested): boolean {
  return models[0]?.runs[0]?.testUsers !== undefined;
}

/** How the authors' training of a model went. Epochs count from 1, as everywhere in the report; the notebook counts from 0. */
export interface ThesisTraining {
  readonly epochs: number;
  /** The first epochs with the largest accuracies. */
  readonly bestTestEpoch: number;
  readonly bestValidationEpoch: number;
  /** Test accuracy over the last 64 epochs; null if the event file ends before them. */
  readonly late: { readonly mean: number; readonly deviation: number } | null;
  /** The last epoch in the event file. */
  readonly logged: number;
}

/** Where these are from, for use below them: the notebook by its sha256, and for the last 64 epochs the event files. */
export const THESIS_TRAININGS_SOURCE = [
  { strong: 'Published: ' },
  'epochs from the stored output of figures/results.ipynb (sha256 ',
  { code: '46d17374ce057139f811cf60ee27819499691f8317ea95dfa387b0f5dd149c96' },
  '), accuracies over the last epochs from the event files in checkpoints/, both in github.com/Anananas42/tu-delft-bsc-thesis-computer-science.',
] as const;

/** Where figure 2 of the thesis (page 8) ends, read from its pixels: means over 64 epochs. */
export const THESIS_FIGURE_2_ENDS = { 'λ = .1': 0.945, Baseline: 0.94 } as const;

/** The trainings of the four models, by their name in table 1. */
export const THESIS_TRAININGS: ReadonlyMap<string, ThesisTraining> = new Map([
  ['Baseline', describeTraining(1256, 340, 438, { mean: 0.939, deviation: 0.005 })],
  ['No Reg.', describeTraining(1321, 151, 153, { mean: 0.923, deviation: 0.01 })],
  ['λ = .01', describeTraining(1206, 527, 184, { mean: 0.936, deviation: 0.01 })],
  // Its event file ends in a dip, 600 epochs before the end of the training.
  ['λ = .1', { ...describeTraining(1256, 558, 433, null), logged: 655 }],
]);

function describeTraining(
  epochs: number,
  bestTestEpoch: number,
  bestValidationEpoch: number,
  late: ThesisTraining['late'],
): ThesisTraining {
  return { epochs, bestTestEpoch, bestValidationEpoch, late, logged: epochs };
}
