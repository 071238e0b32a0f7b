import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestProject } from 'vitest/node';
import { parse } from 'yaml';
import { encodeEventFileHeader, encodeScalarEvents } from '../../src/formats/tfevents.ts';
import stage from '../../stages/report.ts';
import { type MadeUp, QUICK, writeMadeUpResults } from '../report/made-up-results.ts';
import { DATASETS } from '../support/datasets.ts';
import { findChromium } from './chromium.ts';

/** `logged`: whether the figures include logs of the authors. */
type MadeReport = MadeUp & { readonly logged?: true };

const RUNS: Readonly<Record<string, MadeReport>> = {
  // The networks of profile quick.
  'four models on simulated gestures': {
    ...{ ...QUICK, layers: 5, channels: 32, hidden: 128, steps: 16 },
  },
  // Of linear layers.
  'one model on ten digits': {
    ...{ ...QUICK, layers: 2 },
    dataset: 'nmnist',
    simulated: false,
    models: ['baseline'],
    clips: { train: 850, validation: 150, test: 100 },
  },
  'four models, three seeds and 600 epochs': {
    ...QUICK,
    simulated: false,
    seeds: [1, 2, 3],
    epochs: 600,
    layers: 7,
    logged: true,
  },
  // Sound, with the networks of profile spoken-digits.
  'two models on spoken digits': {
    ...{ ...QUICK, layers: 2, hidden: 128, steps: 50 },
    dataset: 'spoken-digits',
    simulated: false,
    models: ['baseline', 'no-reg'],
    clips: { train: 170, validation: 30, test: 50 },
  },
};

declare module 'vitest' {
  export interface ProvidedContext {
    /** Title of each report -> its address. */
    readonly reports: Readonly<Record<string, string>>;
    readonly chromium: string;
  }
}

/** Makes the reports that all tests look at, once. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // First, because nothing else is needed without a browser.
  project.provide('chromium', findChromium());
  const folder = await mkdtemp(join(tmpdir(), 'report-browser-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const reports: Record<string, string> = {};
    for (const [title, made] of Object.entries(RUNS)) {
      const file = await makeReport(join(folder, String(Object.keys(reports).length)), title, made);
      reports[title] = pathToFileURL(file).href;
    }
    project.provide('reports', reports);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/** Runs the stage itself, on the inputs that pipeline.yaml names. */
async function makeReport(folder: string, title: string, made: MadeReport): Promise<string> {
  await writeMadeUpResults(folder, made);
  const logs = join(folder, 'logs');
  await mkdir(join(logs, 'baseline'), { recursive: true });
  await writeFile(join(logs, 'baseline', 'a.tfevents'), makeLog());
  const output = join(folder, 'report');
  await stage.run({
    params: { models: made.models, seeds: made.seeds, report: { title } },
    matrix: {},
    facts: {},
    inputs: { ...(await namedInputs(folder, made)), ...(made.logged ? { logs } : {}) },
    outputs: [output],
    resume: [],
    cpus: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    metrics: () => undefined,
    note: () => undefined,
    warn: () => undefined,
  });
  return join(output, 'index.html');
}

/** In a path of an input: one input for each model. */
const eachModel = /\$\{models\}/;

/** Claims and the script of the explorable page are those of the project, everything else is made up. The optional input is left out. */
async function namedInputs(
  folder: string,
  { models, dataset }: Pick<MadeUp, 'models' | 'dataset'>,
): Promise<Record<string, string | string[]>> {
  const pipeline: { readonly stages: { readonly report: { readonly inputs: Record<string, unknown> } } } =
    parse(await readFile('pipeline.yaml', 'utf8'));
  const place = (input: string) =>
    /^(configs\/claims|dist)/.test(input) ? resolve(input) : join(folder, input);
  return Object.fromEntries(
    Object.entries(pipeline.stages.report.inputs).flatMap(([name, input]) => {
      if (typeof input !== 'string') return [];
      if (name === 'dataset') return [[name, join(DATASETS, `${dataset}.yaml`)]];
      const paths = models.map((id) => place(input.replace(eachModel, id)));
      return [[name, eachModel.test(input) ? paths : place(input)]];
    }),
  );
}

/** A made-up log of 700 epochs of 28 batches each. */
function makeLog(): Uint8Array {
  const events = Array.from({ length: 700 }, (_, epoch) => {
    const accuracy = 0.96 - 0.5 * Math.exp(-epoch / 30);
    const end = 28 * (epoch + 1);
    const point = (tag: string, step: number, value: number) => ({
      tag,
      step,
      value,
      wallTimeSeconds: epoch,
    });
    return [
      point('test_accuracy', epoch, accuracy),
      point('val_accuracy', epoch, accuracy + 0.03),
      ...Array.from({ length: 7 }, (_, layer) => point(`w${layer}`, end, (layer - 3) * 0.1)),
    ];
  });
  return Buffer.concat([encodeEventFileHeader(0), encodeScalarEvents(events.flat())]);
}
