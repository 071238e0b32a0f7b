import type { Text } from '../page/document.ts';
import type { ModelResult, PublishedResult } from './results.ts';

/** Settings by dotted path, as in a model's file: `tau.per`. */
export type ModelSettings = Readonly<Record<string, string | number | boolean>>;

/** What the thesis sets for one of its models. */
export interface ThesisModel {
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
  /**
   * The paper's clip counts. Its 1,056 are 12 from each of 88 recordings: the published converter drops the last ten of 98 when
   * it runs with 11 processes.
   */
  clips: { train: 900, validation: 156, test: 288 },
  frames: { steps: 20, splitBy: 'number', normalization: 'none', height: 128, width: 128 },
} as const;

const network = {
  layers: 5,
  channels: 128,
  pooling: 'max',
  neuron: 'plif',
  'tau.mean': 2,
  'reset.kind': 'hard',
  'reset.detach': true,
  'surrogate.kind': 'atan',
  'surrogate.alpha': 2,
  'surrogate.learnable': false,
  hidden: 512,
  votes: 10,
  dropout: 0.5,
  threshold: 1,
} as const;

const train = {
  epochs: 1256,
  testEvery: 1,
  learningRate: 0.001,
  cosineHalfPeriod: 64,
  validationShare: 0.15,
} as const;

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
  ['Baseline', describeModel('layer', 0, 0, 16)],
  ['No Reg.', describeModel('neuron', 0.1, 0, 32)],
  ['λ = .01', describeModel('neuron', 0.1, 0.01, 32)],
  ['λ = .1', describeModel('neuron', 0.1, 0.1, 32)],
]);

/** In what the other networks of Fang et al. 2021 differ from the baseline, by their name in a model's file. */
export const FANG_NETWORKS: ReadonlyMap<string, ModelSettings> = new Map([
  ['PLIF from τ = 16', { 'tau.mean': 16 }],
  ['LIF with τ = 2', { neuron: 'lif' }],
  ['LIF with τ = 16', { neuron: 'lif', 'tau.mean': 16 }],
  ['PLIF with average pooling', { pooling: 'average' }],
]);

/** For its accuracy A, as in the commands of its README. */
const FANG_TRAINING = { epochs: 1024, validationShare: 0 } as const;

/** The published settings of a model of the thesis or of Fang et al. 2021; undefined for any other model. */
export function findPublishedModel({ published }: Pick<ModelResult, 'published'>): ThesisModel | undefined {
  if (published?.source === 'thesis') return THESIS_MODELS.get(published.name);
  const own = FANG_NETWORKS.get(published?.name ?? '');
  if (own === undefined) return undefined;
  const base = describeModel('layer', 0, 0, 16);
  return { ...base, network: { ...base.network, ...own }, train: { ...base.train, ...FANG_TRAINING } };
}

/**
 * What was published of a model; null if it was trained on another share of the clips than these runs: the thesis held clips back for
 * validation, Fang et al. did not.
 */
export function findPublished({
  published,
  runs,
}: Pick<ModelResult, 'published' | 'runs'>): PublishedResult | null {
  const differs = runs.some(({ clips }) => clips.validation > 0 !== (published?.source === 'thesis'));
  return differs ? null : published;
}

/** Everything that was published of how a model was trained; what is missing is not compared. */
export interface PublishedSettings extends ThesisModel {
  readonly frames: ModelSettings;
  readonly clips: ModelSettings;
}

/** What was published of a model's settings; for one that is neither of the thesis nor of Fang et al., the data of the thesis alone. */
export function publishedSettings(model: Pick<ModelResult, 'published'>): PublishedSettings {
  const { frames, clips } = THESIS;
  // Fang et al. trained on all clips, whose number they do not give.
  const known = model.published?.source === 'fang' ? { test: clips.test } : clips;
  return { network: {}, loss: {}, train: {}, ...findPublishedModel(model), frames, clips: known };
}

/** `the thesis`, or both papers if there are models of either. */
export function nameSource(models: readonly Pick<ModelResult, 'published'>[]): string {
  return models.some(({ published }) => published?.source === 'fang')
    ? 'the thesis and Fang et al. 2021'
    : 'the thesis';
}

const DATASET_TITLES: Readonly<Record<string, string>> = {
  'dvs128-gesture': 'DVS128 Gesture',
  nmnist: 'N-MNIST',
  'cifar10-dvs': 'CIFAR10-DVS',
  'asl-dvs': 'ASL-DVS',
  mnist: 'MNIST',
  'fashion-mnist': 'FashionMNIST',
  cifar10: 'CIFAR10',
};

export function titleDataset(name: string): string {
  return DATASET_TITLES[name] ?? name;
}

/** Why results must not be compared with the thesis; null if they may be. */
export type Incomparable = 'simulated' | 'other-dataset' | null;

export function judgeComparability(results: { dataset: string; simulated: boolean }): Incomparable {
  if (results.simulated) return 'simulated';
  return results.dataset === THESIS.dataset ? null : 'other-dataset';
}

/** How the authors' training of a model went. Epochs count from 1, as everywhere in the report; the notebook counts from 0. */
export interface ThesisTraining {
  readonly epochs: number;
  /** The first epochs with the largest accuracies. */
  readonly bestTestEpoch: number;
  readonly bestValidationEpoch: number;
  /** Test accuracy over the last 64 epochs that the log still has, of which `lastEpoch` is the last. */
  readonly late: { readonly mean: number; readonly deviation: number; readonly lastEpoch: number };
}

/** Where these are from, for use below them: the notebook by its sha256, and for the last 64 epochs the event files. */
export const THESIS_TRAININGS_SOURCE: Text = [
  { strong: 'Published: ' },
  'epochs from the stored output of figures/results.ipynb (sha256 ',
  { code: '46d17374ce057139f811cf60ee27819499691f8317ea95dfa387b0f5dd149c96' },
  '), accuracies over the last epochs from the event files in checkpoints/, both in github.com/Anananas42/tu-delft-bsc-thesis-computer-science.',
];

/** The trainings of the four models, by their name in table 1. */
export const THESIS_TRAININGS: ReadonlyMap<string, ThesisTraining> = new Map([
  ['Baseline', describeTraining(1256, 340, 438, { mean: 0.939, deviation: 0.005, lastEpoch: 1256 })],
  ['No Reg.', describeTraining(1321, 151, 153, { mean: 0.923, deviation: 0.01, lastEpoch: 1321 })],
  ['λ = .01', describeTraining(1206, 527, 184, { mean: 0.936, deviation: 0.01, lastEpoch: 1206 })],
  ['λ = .1', describeTraining(1256, 558, 433, { mean: 0.931, deviation: 0.021, lastEpoch: 655 })],
]);

function describeTraining(
  epochs: number,
  bestTestEpoch: number,
  bestValidationEpoch: number,
  late: ThesisTraining['late'],
): ThesisTraining {
  return { epochs, bestTestEpoch, bestValidationEpoch, late };
}
