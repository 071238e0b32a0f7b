import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ReproError } from '../errors.ts';
import { CLIP_EXAMPLES, type ClipExamples, readClipExamples } from '../formats/clip-examples.ts';
import { Fields, parseFields } from '../formats/fields.ts';
import { type Claim, readClaims } from './claims/claim.ts';
import type { ModelResult, Results, RunResult } from './data/results.ts';
import { readLoggedLoss } from './inputs/logged-loss.ts';
import { readManifest, readManifestHead } from './inputs/manifest.ts';
import { readMetrics } from './inputs/metrics.ts';
import { readModel } from './inputs/model.ts';
import { readPipeline } from './inputs/pipeline.ts';
import { readAnswers } from './inputs/predictions.ts';
import { readReference } from './inputs/reference.ts';
import { type Expected, readRun } from './inputs/run.ts';
import { readTaus } from './inputs/taus.ts';
import { readTimelinePlace } from './inputs/timeline-place.ts';

/** The stage module that writes the report, as in the pipeline file. */
const MODULE = 'stages/report.ts';

/** The folders that the report reads. */
export interface Sources {
  readonly verify: string;
  readonly train: string;
  readonly evaluate: string;
  /** The models' configuration files. */
  readonly models: string;
  /** One clip of each class, from the stage `frames`. */
  readonly examples: string;
  /** The pipeline file. */
  readonly pipeline: string;
  /** The authors' logs, if the profile names a folder. */
  readonly reference?: string | undefined;
}

/** What is reported: the models and seeds, and whatever else is known of the profile. */
export interface Selection {
  readonly models: readonly string[];
  readonly seeds: readonly number[];
  readonly [setting: string]: unknown;
}

/**
 * Reads and checks everything that the report is based on. Opens only the folders of the selected models and seeds: others may
 * be left over from another profile.
 *
 * @throws {ReproError} `report-input`, naming the file, the field and the command that makes the file again
 */
export async function collectResults(sources: Sources, selection: Selection): Promise<Results> {
  if (selection.models.length === 0 || selection.seeds.length === 0) {
    throw new ReproError(
      'report-input',
      'there is nothing to report: the profile lists no model or no seed',
      {
        fix: 'List at least one of each under `models:` and `seeds:`.',
      },
    );
  }
  const manifestFile = join(sources.verify, 'manifest.json');
  const manifest = await readJson(manifestFile, remake('verify'));
  const head = readManifestHead(manifest);

  let classes: readonly string[] | null = null;
  const models: ModelResult[] = [];
  for (const model of selection.models) {
    const runs: RunResult[] = [];
    for (const seed of selection.seeds) {
      const read = await collectRun(sources, { ...head, model, seed });
      classes ??= read.classes;
      if (classes.join('\n') !== read.classes.join('\n')) {
        throw new ReproError('report-input', 'field "classes" differs from that of the other runs', {
          where: join(sources.evaluate, model, String(seed), 'evaluation.json'),
          fix: remake('evaluate'),
        });
      }
      runs.push(read.result);
    }
    const file = join(sources.models, `${model}.yaml`);
    models.push(readModel(await readYaml(file, 'schemas/model.schema.json'), model, runs));
  }
  const pipeline = await readYaml(sources.pipeline, 'schemas/pipeline.schema.json');
  const examples = await collectExamples(sources.examples, { ...head, classes: classes ?? [] });
  return {
    dataset: head.dataset,
    simulated: head.simulated,
    classes: classes ?? [],
    manifest: readManifest(manifest, digestOf(await readBytes(manifestFile, remake('verify')))),
    examples,
    seeds: selection.seeds,
    models,
    pipeline: readPipeline(pipeline, selection),
    timeline: readTimelinePlace(pipeline, MODULE, selection),
    reference:
      sources.reference === undefined
        ? null
        : await readReference(
            sources.reference,
            models.map(({ id, published }) => ({ id, published: published?.name ?? null })),
          ),
  };
}

/** Reads configs/claims.yaml. @throws {ReproError} `report-input`, naming the field */
export async function collectClaims(file: string): Promise<Claim[]> {
  return readClaims(await readYaml(file, 'schemas/claims.schema.json'));
}

async function collectRun(sources: Sources, expected: Expected): Promise<ReturnType<typeof readRun>> {
  const folder = join(expected.model, String(expected.seed));
  const instance = `@${expected.model},${expected.seed}`;
  const fixTrain = remake(`train${instance}`);
  const fixEvaluate = remake(`evaluate${instance}`);
  const metricsFile = join(sources.train, folder, 'metrics.csv');
  const predictionsFile = join(sources.evaluate, folder, 'predictions.csv');
  const eventFile = join(sources.train, folder, 'tensorboard', 'events.out.tfevents.0.repro');
  const tausFile = join(sources.evaluate, folder, 'tau.csv');
  const [run, evaluation, metricsText, events, predictions, taus, weights] = await Promise.all([
    readJson(join(sources.train, folder, 'run.json'), fixTrain),
    readJson(join(sources.evaluate, folder, 'evaluation.json'), fixEvaluate),
    readText(metricsFile, fixTrain),
    readBytes(eventFile, fixTrain),
    readText(predictionsFile, fixEvaluate),
    readText(tausFile, fixEvaluate),
    readBytes(join(sources.train, folder, 'best.safetensors'), fixTrain),
  ]);
  const metrics = readMetrics(metricsFile, metricsText, fixTrain);
  const read = {
    metrics,
    loggedLoss: readLoggedLoss(eventFile, events, metrics.epochs),
    answers: readAnswers(predictionsFile, predictions, fixEvaluate),
    taus: readTaus(tausFile, taus, fixEvaluate),
    digests: {
      metrics: digestOf(metricsText),
      weights: digestOf(weights),
      predictions: digestOf(predictions),
    },
  };
  return readRun(run, evaluation, read, expected);
}

async function collectExamples(
  folder: string,
  expected: { readonly dataset: string; readonly simulated: boolean; readonly classes: readonly string[] },
): Promise<ClipExamples> {
  const examples = await readClipExamples(folder);
  const refuse = (name: string, problem: string): never => {
    throw new ReproError('report-input', `field "${name}" ${problem}`, {
      where: join(folder, CLIP_EXAMPLES.index),
      fix: remake('frames'),
    });
  };
  const { dataset, simulated, classes } = expected;
  if (examples.dataset !== dataset) refuse('dataset', `is "${examples.dataset}", expected "${dataset}"`);
  if (examples.simulated !== simulated) {
    refuse('simulated', `is ${examples.simulated}, but the manifest says ${simulated}`);
  }
  if (examples.classes.join('\n') !== classes.join('\n')) refuse('classes', 'differs from that of the runs');
  return examples;
}

function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function remake(stage: string): string {
  return `Make the file again: \`repro run ${stage} --force\`.`;
}

async function readText(file: string, fix: string): Promise<string> {
  return (await readBytes(file, fix)).toString('utf8');
}

async function readBytes(file: string, fix: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const problem = missing ? 'the file is missing' : `the file cannot be read: ${String(cause)}`;
    throw new ReproError('report-input', problem, { where: file, fix, cause });
  }
}

async function readJson(file: string, fix: string): Promise<Fields> {
  return parseFields(await readText(file, fix), { file, code: 'report-input', fix });
}

async function readYaml(file: string, schema: string): Promise<Fields> {
  const fix = `Correct the file; ${schema} defines its content.`;
  const text = await readText(file, 'Restore it, or correct the path in the pipeline file or the profile.');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new ReproError('report-input', `the file is not valid YAML: ${String(cause)}`, {
      where: file,
      fix,
      cause,
    });
  }
  return new Fields({ file, code: 'report-input', fix }, value);
}
