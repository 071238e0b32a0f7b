import { createHash } from 'node:crypto';
import path from 'node:path';
import { csvParse } from 'd3-dsv';
import type { Fields, JsonObject } from '../formats/fields.ts';
import type { Json } from '../schema/json.ts';
import type { BatchFacts, LayerFacts, RunFacts, TestFacts } from './baseline.ts';
import { LayerTable } from './layer-table.ts';
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
  of: Pick<RunFacts, 'model' | 'seed' | 'engine'>,
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
  const { losses, layers } = readEpochs(metrics);
  const test = readTest(predictions);
  const right = evaluationFields.object('test').count('correct');
  if (test.clips - test.wrong.length !== right) {
    evaluationFields.fail(
      'test.correct',
      `is ${right}, but predictions.csv has ${test.clips - test.wrong.length}`,
    );
  }
  return {
    ...of,
    settings: readSettings(runFields),
    epochs: losses.length,
    chosenEpoch: evaluationFields.object('checkpoint').count('epoch') + 1,
    firstBatches: readFirstBatches(batches),
    trainLosses: losses,
    layers,
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

/** The losses and layers of metrics.csv. */
function readEpochs(from: ReadText): { losses: number[]; layers: LayerFacts[] } {
  const table = new LayerTable(from, 'epoch');
  return {
    losses: Array.from({ length: table.length }, (_, row) => table.number(row, 'train_loss')),
    layers: table.kept.map((row) => ({
      epoch: row + 1,
      spikeRates: table.ofLayers(row, 'spike_rate'),
      tauStds: table.ofLayers(row, 'tau_std'),
    })),
  };
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
  const list = createHash('sha256');
  let clips = 0;
  for (const [index, row] of rows.entries()) {
    if (row.split !== 'test') continue;
    if (row.clip !== String(clips))
      refuse(from, `line ${index + 2}: expected test clip ${clips}, found ${JSON.stringify(row.clip)}.`);
    if (!/^\d+$/.test(row.class ?? '') || !/^\d+$/.test(row.predicted ?? '')) {
      refuse(from, `line ${index + 2}: "class" and "predicted" must be whole numbers.`);
    }
    list.update(`${JSON.stringify([row.recording, row.class])}\n`);
    if (row.class !== row.predicted) wrong.push(clips);
    clips += 1;
  }
  if (clips === 0) refuse(from, 'has no test clips.');
  return { clips, list: list.digest('hex'), wrong };
}
