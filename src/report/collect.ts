import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { hasErrorCode, ReproError } from '../errors.ts';
import { hashText } from '../files/canonical-json.ts';
import { Fields } from '../formats/fields.ts';
import { CLIP_EXAMPLES, type ClipExamples, readClipExamples } from '../results/clip-examples.ts';
import { type Manifest, readManifest } from '../results/manifest.ts';
import { fixOf, readResultFile, refuse } from '../results/result-file.ts';
import type { PublishedResult } from '../thesis/published.ts';
import { type Claim, readClaims } from './claims/claim.ts';
import type { ManifestResult, ModelResult, Results, RunResult } from './data/results.ts';
import { readPipeline, readTimelinePlace } from './inputs/pipeline.ts';
import { readReference } from './inputs/reference.ts';
import { readRunResult } from './inputs/run.ts';

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
  const manifestFile = await readResultFile(join(sources.verify, 'manifest.json'), 'verify');
  const manifest = readManifest(manifestFile);
  const { dataset, simulated } = manifest;

  let classes: readonly string[] | null = null;
  const models: ModelResult[] = [];
  for (const model of selection.models) {
    const runs: RunResult[] = [];
    for (const seed of selection.seeds) {
      const folder = join(model, String(seed));
      const folders = { train: join(sources.train, folder), evaluate: join(sources.evaluate, folder) };
      const read = await readRunResult(folders, { dataset, simulated, model, seed });
      classes ??= read.classes;
      if (classes.join('\n') !== read.classes.join('\n')) {
        refuse(
          { file: join(folders.evaluate, 'evaluation.json'), fix: fixOf(`evaluate@${model},${seed}`) },
          'field "classes" differs from that of the other runs',
        );
      }
      runs.push(read.result);
    }
    const file = join(sources.models, `${model}.yaml`);
    models.push(readModel(await readYaml(file, 'schemas/model.schema.json'), model, runs));
  }
  const pipeline = await readYaml(sources.pipeline, 'schemas/pipeline.schema.json');
  const examples = await collectExamples(sources.examples, { dataset, simulated, classes: classes ?? [] });
  return {
    dataset,
    simulated,
    classes: classes ?? [],
    manifest: summariseManifest(manifest, hashText(manifestFile.text)),
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

/** A model's configuration file, configs/models/<id>.yaml. */
export function readModel(fields: Fields, id: string, runs: readonly RunResult[]): ModelResult {
  return {
    id,
    // Prevents a line break inside "λ = .1".
    title: fields.text('title').replaceAll(' = ', '\u00a0=\u00a0'),
    description: fields.has('description') ? fields.text('description') : '',
    published: fields.has('published') ? readPublished(fields.object('published')) : null,
    train: fields.raw('train'),
    runs,
  };
}

function readPublished(fields: Fields): PublishedResult {
  const [name, test] = [fields.text('name'), fields.share('test')];
  const source = fields.has('source') ? fields.text('source') : 'thesis';
  if (source === 'fang') return { source, name, test, validation: null };
  if (source !== 'thesis') return fields.fail('source', `is "${source}": expected "thesis" or "fang"`);
  return { source, name, test, validation: fields.share('validation') };
}

function summariseManifest(
  { version: _, dataset: _of, simulated: _kind, files: all, ...rest }: Manifest,
  sha256: string,
): ManifestResult {
  // The files in an archive are counted, not the archive itself.
  const files = all.filter(({ status }) => status !== 'archive');
  return {
    ...rest,
    sha256,
    files: files.length,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    unlisted: files.filter(({ status }) => status === 'unlisted').length,
  };
}

async function collectExamples(
  folder: string,
  expected: { readonly dataset: string; readonly simulated: boolean; readonly classes: readonly string[] },
): Promise<ClipExamples> {
  const examples = await readClipExamples(folder);
  const refuse = (name: string, problem: string): never => {
    throw new ReproError('report-input', `field "${name}" ${problem}`, {
      where: join(folder, CLIP_EXAMPLES.index),
      fix: fixOf('frames'),
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

async function readYaml(file: string, schema: string): Promise<Fields> {
  const fix = `Correct the file; ${schema} defines its content.`;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ReproError(
      'report-input',
      hasErrorCode(cause, 'ENOENT') ? 'the file is missing' : `the file cannot be read: ${String(cause)}`,
      { where: file, fix: 'Restore it, or correct the path in the pipeline file or the profile.', cause },
    );
  });
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
