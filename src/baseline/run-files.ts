import path from 'node:path';
import { csvParse } from 'd3-dsv';
import type { Fields, JsonObject } from '../formats/fields.ts';
import type { Json } from '../schema/json.ts';
import type { BatchFacts, LayerFacts, RunFacts, TestFacts } from './baseline.ts';
import { ClipListDigest } from './clip-list.ts';
import { LayerTable } from './layer-table.ts';
import { countNeuronSteps } from './neuron-steps.ts';
import { findPreferred } from './preferred-epoch.ts';
import { fieldsOf, type ReadText, readText, refuse } from './result-text.ts';

/** Where the results of one model and seed are. */
export interface RunFolders {
  readonly train: string;
  readonly evaluate: string;
}

/**
 * Reads what a training and its evaluation left: run.json, metrics.csv, evaluation.json and predictions.csv.
 *
 * @throws {ReproError} `results-invalid` naming the file and the field or line, and the command that makes it again
 */
export async function readRunFacts(
  { train, evaluate }: RunFolders,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const instance = `@${of.model},${of.seed}`;
  const [run, metrics, batches, evaluation, predictions] = await Promise.all([
    readText(path.join(train, 'run.json'), `train${instance}`),
    readText(path.join(train, 'metrics.csv'), `train${instance}`),
    readText(path.join(train, 'first-batches.csv'), `train${instance}`),
    readText(path.join(evaluate, 'evaluation.json'), `evaluate${instance}`),
    readText(path.join(evaluate, 'predictions.csv'), `evaluate${instance}`),
  ]);
  const runFields = fieldsOf(run);
  const evaluationFields = fieldsOf(evaluation);
  for (const [fields, model] of [
    [runFields, runFields.object('model').text('id')],
    [evaluationFields, evaluationFields.text('model')],
  ] as const) {
    if (model !== of.model) fields.fail('model', `is "${model}", but its folder is that of "${of.model}"`);
    const seed = fields.number('seed');
    if (seed !== of.seed) fields.fail('seed', `is ${seed}, but its folder is that of ${of.seed}`);
  }
  const epochs = new LayerTable(metrics, 'epoch');
  const neuronSteps = countNeuronSteps(runFields);
  if (neuronSteps.length !== epochs.layers) {
    refuse(
      metrics,
      `has ${epochs.layers} spiking layers, but the network of run.json ${neuronSteps.length}.`,
    );
  }
  const test = readTest(predictions);
  const right = evaluationFields.object('test').count('correct');
  if (test.clips - test.wrong.length !== right) {
    evaluationFields.fail(
      'test.correct',
      `is ${right}, but predictions.csv has ${test.clips - test.wrong.length}`,
    );
  }
  const chosenEpoch = evaluationFields.object('checkpoint').count('epoch') + 1;
  if (chosenEpoch > epochs.length) {
    evaluationFields.fail(
      'checkpoint.epoch',
      `is ${chosenEpoch - 1}, but metrics.csv ends with ${epochs.length - 1}`,
    );
  }
  const tested = epochs.optional(chosenEpoch - 1, 'test_accuracy');
  return {
    ...of,
    settings: readSettings(runFields),
    epochs: epochs.length,
    chosenEpoch,
    preferredEpoch: findPreferred(
      runFields.object('compat').choice('selection', ['validation', 'best-test', 'last']),
      epochs,
    ),
    rightInTraining: tested === null ? null : Math.round(tested * test.clips),
    neuronSteps,
    firstBatches: readFirstBatches(batches),
    trainLosses: Array.from({ length: epochs.length }, (_, row) => epochs.number(row, 'train_loss')),
    layers: readLayers(epochs),
    test,
  };
}

/** The number of epochs only ends a training: until then, it goes the same way. */
const endings: ReadonlySet<string> = new Set(['training.epochs']);

/** The settings of run.json by dotted key. */
function readSettings(run: Fields): { readonly [key: string]: Json } {
  const settings: Record<string, Json> = { parameters: run.count('parameters') };
  const visit = (value: JsonObject, prefix: string): void => {
    for (const [key, one] of Object.entries(value)) {
      const name = `${prefix}.${key}`;
      if (endings.has(name)) continue;
      if (typeof one === 'object' && one !== null && !Array.isArray(one)) visit(one as JsonObject, name);
      else settings[name] = one as Json;
    }
  };
  for (const section of ['frames', 'network', 'training', 'compat', 'split'])
    visit(run.raw(section), section);
  return settings;
}

function readLayers(table: LayerTable): LayerFacts[] {
  return table.kept.map((row) => ({
    epoch: row + 1,
    learningRate: table.number(row, 'learning_rate'),
    spikeRates: table.ofLayers(row, 'spike_rate'),
    tauMeans: table.ofLayers(row, 'tau_mean'),
    tauStds: table.ofLayers(row, 'tau_std'),
  }));
}

function readFirstBatches(from: ReadText): BatchFacts[] {
  const table = new LayerTable(from, 'batch');
  return table.kept.map((row) => ({
    batch: row + 1,
    loss: table.number(row, 'loss'),
    spikeRates: table.ofLayers(row, 'spike_rate'),
  }));
}

/** The test clips of predictions.csv. */
function readTest(from: ReadText): TestFacts {
  const rows = csvParse(from.text);
  for (const column of ['split', 'clip', 'recording', 'class', 'predicted']) {
    if (!rows.columns.includes(column)) refuse(from, `column "${column}" is missing.`);
  }
  const wrong: number[] = [];
  const list = new ClipListDigest();
  let clips = 0;
  for (const [index, row] of rows.entries()) {
    if (row.split !== 'test') continue;
    if (row.clip !== String(clips))
      refuse(from, `line ${index + 2}: expected test clip ${clips}, found ${JSON.stringify(row.clip)}.`);
    if (!/^\d+$/.test(row.class ?? '') || !/^\d+$/.test(row.predicted ?? '')) {
      refuse(from, `line ${index + 2}: "class" and "predicted" must be whole numbers.`);
    }
    list.add(row.recording ?? '', Number(row.class));
    if (row.class !== row.predicted) wrong.push(clips);
    clips += 1;
  }
  if (clips === 0) refuse(from, 'has no test clips.');
  return { clips, list: list.value, wrong };
}
