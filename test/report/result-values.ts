// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax

import { buildNetwork } from '../../src/network/networks.ts';
import type {
  ClipAnswer,
  LayerResult,
  ModelResult,
  Results,
  RunResult,
} from '../../src/report/data/results.ts';
import type { Table, Text } from '../../src/report/page/document.ts';
import type { ClipExample, ClipExamples } from '../../src/results/clip-examples.ts';
import type { FrameFormat } from '../../src/results/clip-index.ts';
import type { Score } from '../../src/results/evaluation-file.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { GESTURES } from '../support/datasets.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

/** The result of a split with so many correct clips. */
export function split(correct: number, clips: number): Score {
  return { clips, correct, accuracy: correct / clips, loss: 0.05 };
}

/** Answers to so many clips, of which the first are right; four users by turns. */
export function makeAnswers(correct: number, clips: number): ClipAnswer[] {
  return Array.from({ length: clips }, (_, clip) => ({
    clip,
    user: 24 + (clip % 4),
    class: clip % 2,
    right: clip < correct,
  }));
}

/** A layer with a single τ, by default. */
export function makeLayerResult(taus: readonly number[] = [3]): LayerResult {
  return { spikeRate: 0.0625, taus: { count: taus.length === 1 ? 1 : 512, taus } };
}

const SPEC = buildNetwork({ ...thesisNetwork, input: [2, 4, 4], classes: 2, channels: 3, layers: 2 });

/** The frames of the thesis. */
export const FRAMES: FrameFormat = {
  steps: 20,
  splitBy: 'number',
  downsample: 1,
  height: 128,
  width: 128,
  dtype: 'uint8',
  normalization: null,
};

/** A run of three epochs on two classes; tests override what they check. */
export function makeRunResult(overrides: Partial<RunResult> = {}): RunResult {
  const series = [0.25, 0.5, 0.75];
  return {
    seed: 2020,
    engine: { name: 'tfjs', backend: 'cpu', version: '4.22.0' },
    parameters: 1000,
    clips: { train: 80, validation: 20, test: 100 },
    network: { channels: 128 },
    training: { epochs: 3 },
    spec: SPEC,
    frames: FRAMES,
    metrics: {
      epochs: [1, 2, 3],
      accuracy: { train: series, validation: series, test: series },
      loss: { train: series, validation: series, test: series },
      layers: [
        {
          tauOfMean: [2, 2.5, 3],
          tauMean: [2, 2.5, 3],
          tauStd: [0, 0, 0],
          tauChange: [0.5, 0.5, 0.5],
        },
      ],
    },
    compat: COMPAT_DEFAULTS,
    cost: {
      footprintBytes: 4000,
      activationSparsity: 0.9,
      denseOperations: 1e6,
      effectiveMacs: 2e5,
      effectiveAcs: 3e5,
    },
    correctByStep: [20, 60, 89, 90],
    orders: {},
    tau: {},
    // 90 of 100 right, as in `test`.
    answers: makeAnswers(90, 100),
    layers: [makeLayerResult()],
    chosenEpoch: 2,
    chosenOn: 'validation',
    test: split(90, 100),
    validation: split(18, 20),
    maximum: { test: { epoch: 3, accuracy: 0.92 }, validation: { epoch: 2, accuracy: 0.9 } },
    confusion: [
      [46, 4],
      [6, 44],
    ],
    ...overrides,
  };
}

export function makeModelResult(overrides: Partial<ModelResult> = {}): ModelResult {
  return {
    id: 'baseline',
    title: 'Baseline',
    published: { source: 'thesis', name: 'Baseline', test: 0.955, validation: 1 },
    train: { batchSize: 16 },
    runs: [makeRunResult()],
    ...overrides,
  };
}

export function makeResults(overrides: Partial<Results> = {}): Results {
  return {
    dataset: GESTURES,
    simulated: false,
    classes: ['wave', 'clap'],
    manifest: {
      sha256: '4'.repeat(64),
      files: 4,
      sizeBytes: 2_500_000,
      archive: false,
      unlisted: 0,
      splits: { train: { recordings: 3, clips: 100 }, test: { recordings: 1, clips: 100 } },
      perUser: { user01: 24 },
      perLight: { led: 200 },
      perUserLight: { user01: { led: 200 } },
      perClass: { wave: 120, clap: 80 },
      warnings: [],
    },
    examples: makeExamples({ ...overrides, dataset: overrides.dataset?.name ?? GESTURES.name }),
    seeds: [2020],
    models: [makeModelResult()],
    reference: null,
    ...overrides,
  };
}

/** The results of one model, with a run for each of these. */
export function resultsOf(...runs: readonly Partial<RunResult>[]): Results {
  const made = runs.map((overrides, i) => makeRunResult({ seed: 2020 + i, ...overrides }));
  return makeResults({
    seeds: made.map(({ seed }) => seed),
    models: [makeModelResult({ runs: made })],
  });
}

/** A text with ordinary spaces. */
export const spaced = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');

/** A text without its markup. */
export const plain = (text: Text): string =>
  spaced(text.map((part) => (typeof part === 'string' ? part : String(Object.values(part).at(-1)))).join(''));

/** The texts of a table's cells, row by row. */
export const textsOf = ({ rows }: Table): string[][] =>
  rows.map((row) => row.map(({ text }) => spaced(text)));

/** A clip of a class: 3 steps of 2 x 4 pixels, with 6 ON events of 10. */
export function makeExample(overrides: Partial<ClipExample> = {}): ClipExample {
  const data = new Uint8Array(3 * 2 * 2 * 4);
  data[0] = 4;
  data[8] = 6;
  return {
    class: 0,
    recording: 'user24_led.aedat',
    user: 24,
    light: 'led',
    startUs: 1_000_000,
    endUs: 1_500_000,
    events: 10,
    frames: { shape: [3, 2, 2, 4], data },
    ...overrides,
  };
}

export function makeExamples({
  dataset = 'dvs128-gesture',
  simulated = false,
  classes = ['wave', 'clap'],
}: {
  readonly dataset?: string;
  readonly simulated?: boolean;
  readonly classes?: readonly string[];
} = {}): ClipExamples {
  const examples = classes.map((_, index) => makeExample({ class: index }));
  return { dataset, simulated, kind: 'events', classes, examples };
}
