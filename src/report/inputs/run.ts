import type { Fields } from '../../formats/fields.ts';
import { parseNetwork } from '../../formats/network-json.ts';
import { buildNetwork } from '../../snn/networks.ts';
import type {
  ClipAnswer,
  EpochMetrics,
  LayerResult,
  MaximumResult,
  RunDigests,
  RunResult,
  Series,
  SplitResult,
  TauDistribution,
  TauState,
} from '../data/results.ts';
import { requireVersion } from './manifest.ts';

/** What all files of a run must agree on. */
export interface Expected {
  readonly model: string;
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
}

/** The tables of a run: metrics.csv, predictions.csv and tau.csv, and the losses from its event file. */
export interface RunTables {
  readonly metrics: EpochMetrics;
  readonly loggedLoss: Series;
  readonly answers: readonly ClipAnswer[];
  readonly taus: Readonly<Record<TauState, readonly TauDistribution[]>>;
  readonly digests: RunDigests;
}

/**
 * Joins run.json (training), evaluation.json (evaluation), and the tables of one run.
 *
 * @throws {ReproError} naming the file and the field; also if the files contradict each other or `expected`
 */
export function readRun(
  run: Fields,
  evaluation: Fields,
  { metrics, loggedLoss, answers, taus, digests }: RunTables,
  expected: Expected,
): { result: RunResult; classes: string[] } {
  requireVersion(run);
  requireVersion(evaluation);
  requireSame(run.object('model'), 'id', expected.model);
  requireSame(evaluation, 'model', expected.model);
  for (const fields of [run, evaluation]) {
    const seed = fields.number('seed');
    if (seed !== expected.seed)
      fields.fail('seed', `is ${seed}, but its folder is for seed ${expected.seed}`);
    requireSame(fields, 'dataset', expected.dataset);
    if (fields.flag('simulated') !== expected.simulated) {
      fields.fail('simulated', `is ${!expected.simulated}, but the manifest says ${expected.simulated}`);
    }
  }

  const engine = run.object('engine');
  const clips = run.object('split');
  const checkpoint = evaluation.object('checkpoint');
  const maximum = evaluation.object('maximum');
  const test = readSplitResult(evaluation, 'test');
  const classes = evaluation.texts('classes');
  const right = answers.filter((answer) => answer.right).length;
  if (answers.length !== test.clips || right !== test.correct) {
    evaluation.fail(
      'test',
      `has ${test.correct} of ${test.clips} clips right, but predictions.csv has ${right} of ${answers.length}`,
    );
  }
  const result: RunResult = {
    seed: expected.seed,
    engine: { name: engine.text('name'), backend: engine.text('backend'), version: engine.text('version') },
    parameters: run.count('parameters'),
    clips: { train: clips.count('train'), validation: clips.count('validation'), test: clips.count('test') },
    network: run.raw('network'),
    spec: buildNetwork(parseNetwork(run.object('network'))),
    training: run.raw('training'),
    frames: run.has('frames') ? run.raw('frames') : null,
    metrics,
    loggedLoss,
    answers,
    digests,
    layers: readLayers(evaluation, metrics, taus),
    compat: run.has('compat') ? run.raw('compat') : null,
    chosenEpoch: checkpoint.count('epoch') + 1,
    chosenOn: readChoice(checkpoint),
    test,
    validation: evaluation.has('validation') ? readSplitResult(evaluation, 'validation') : null,
    maximum: {
      test: readMaximum(maximum.object('test')),
      validation: maximum.has('validation') ? readMaximum(maximum.object('validation')) : null,
    },
    confusion: readConfusion(evaluation, classes, test),
  };
  return { result, classes };
}

/** Joins what is known of each spiking layer; all files must have the same number of layers. */
function readLayers(evaluation: Fields, { layers }: EpochMetrics, taus: RunTables['taus']): LayerResult[] {
  const rates = evaluation.object('spikeRates').numbers('test');
  const counts = [rates.length, taus.chosen.length, taus.last.length];
  if (counts.some((count) => count !== layers.length)) {
    evaluation.fail(
      'spikeRates',
      `is of ${rates.length} spiking layers, tau.csv of ${taus.chosen.length} and ${taus.last.length}, but metrics.csv has ${layers.length}`,
    );
  }
  return rates.map((spikeRate, layer): LayerResult => {
    const [chosen, last] = [taus.chosen[layer], taus.last[layer]];
    if (chosen === undefined || last === undefined) throw new RangeError(`no layer ${layer}`);
    return { spikeRate, taus: { chosen, last } };
  });
}

function requireSame(fields: Fields, name: string, expected: string): void {
  const found = fields.text(name);
  if (found !== expected) fields.fail(name, `is "${found}", expected "${expected}"`);
}

/** The rule is a sentence for people; its first words tell which clips decided. */
function readChoice(checkpoint: Fields): RunResult['chosenOn'] {
  const rule = checkpoint.text('rule');
  if (rule.startsWith('best validation accuracy')) return 'validation';
  if (rule.startsWith('best test accuracy')) return 'test';
  if (rule.startsWith('last epoch')) return null;
  return checkpoint.fail(
    'rule',
    `is "${rule}": it begins with neither "best validation accuracy" nor "best test accuracy" nor "last epoch"`,
  );
}

function readSplitResult(parent: Fields, name: string): SplitResult {
  const fields = parent.object(name);
  const clips = fields.count('clips');
  const correct = fields.count('correct');
  if (clips === 0) fields.fail('clips', 'is 0: the model cannot be judged without clips');
  if (correct > clips) fields.fail('correct', `is ${correct}, more than the ${clips} clips`);
  const accuracy = fields.share('accuracy');
  // Intervals use the counts; a rounded accuracy may differ from them by at most half a clip.
  if (Math.abs(accuracy * clips - correct) > 0.5) {
    fields.fail('accuracy', `is ${accuracy}, but ${correct} of ${clips} clips is ${correct / clips}`);
  }
  return { clips, correct, accuracy: correct / clips, loss: fields.number('loss') };
}

function readMaximum(fields: Fields): MaximumResult {
  return { epoch: fields.count('epoch') + 1, accuracy: fields.share('accuracy') };
}

function readConfusion(fields: Fields, classes: readonly string[], test: SplitResult): number[][] {
  const confusion = fields.squareMatrix('confusion', { min: 0, integer: true });
  if (confusion.length !== classes.length) {
    fields.fail('confusion', `has ${confusion.length} rows for ${classes.length} classes`);
  }
  const clips = confusion.flat().reduce((sum, count) => sum + count, 0);
  if (clips !== test.clips)
    fields.fail('confusion', `counts ${clips} clips, but the test split has ${test.clips}`);
  const correct = confusion.reduce((sum, row, index) => sum + (row[index] ?? 0), 0);
  if (correct !== test.correct) {
    fields.fail(
      'confusion',
      `has ${correct} clips on its diagonal, but field "test.correct" is ${test.correct}`,
    );
  }
  return confusion;
}
