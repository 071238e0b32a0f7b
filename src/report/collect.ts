import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ReproError } from '../base/errors.ts';
import { hashText } from '../base/files/canonical-json.ts';
import type { RawObject } from '../base/files/shape.ts';
import { readClipExamples } from '../results/clip-examples.ts';
import { readDatasetFacts } from '../results/dataset-file.ts';
import { type Manifest, readManifest } from '../results/manifest.ts';
import { readResultFile } from '../results/stage-files.ts';
import type { PublishedResult } from '../results/thesis/published.ts';
import { type Claim, readClaims } from './claims/claim.ts';
import type { ManifestResult, ModelResult, Results, RunResult } from './data/results.ts';
import { readReference } from './inputs/reference.ts';
import { readRunResult } from './inputs/run.ts';

/** The folders that the report reads. */
export interface Sources {
  readonly verify: string;
  readonly train: string;
  readonly evaluate: string;
  readonly models: string;
  /** One clip of each class, from the stage `frames`. */
  readonly examples: string;
  /** The file of the data set. */
  readonly dataset: string;
  /** The authors' logs, if the profile names a folder. */
  readonly reference?: string | undefined;
}

/** What is reported. */
interface ReportSelection {
  readonly models: readonly string[];
  readonly seeds: readonly number[];
}

/**
 * Reads and checks everything that the report is based on. Opens only the folders of the selected models and seeds: others may
 * be left over from another profile.
 *
 * @throws {ReproError} `results-invalid`, naming the file, the field and the command that makes the file again
 */
export async function collectResults(sources: Sources, selection: ReportSelection): Promise<Results> {
  const manifestFile = await readResultFile(join(sources.verify, 'manifest.json'), 'verify');
  const manifest = readManifest(manifestFile);
  const { simulated } = manifest;
  const dataset = await readDatasetFacts(sources.dataset);

  const examples = await readClipExamples(sources.examples);
  const models: ModelResult[] = [];
  for (const model of selection.models) {
    const runs: RunResult[] = [];
    for (const seed of selection.seeds) {
      const folder = join(model, String(seed));
      const folders = { train: join(sources.train, folder), evaluate: join(sources.evaluate, folder) };
      runs.push(await readRunResult(folders, { model, seed }));
    }
    const file = join(sources.models, `${model}.yaml`);
    models.push(readModel(parse(await readFile(file, 'utf8')), model, runs));
  }
  const names = models.map(({ id, published }) => ({ id, published: published?.name ?? null }));
  return {
    ...{ dataset, simulated, classes: examples.classes, examples, models },
    manifest: summariseManifest(manifest, hashText(manifestFile.text)),
    seeds: selection.seeds,
    reference: sources.reference === undefined ? null : await readReference(sources.reference, names),
  };
}

/** Reads configs/claims.yaml. @throws {ReproError} `report-input`, naming the field */
export async function collectClaims(where: string): Promise<Claim[]> {
  return readClaims(parse(await readFile(where, 'utf8')), (field, problem) => {
    throw new ReproError('report-input', `field "${field}" ${problem}`, {
      where,
      fix: 'Correct the file; docs/claims.md explains every key.',
    });
  });
}

/** What the report shows of a model's configuration file, configs/models/<id>.yaml. */
interface ShownModelFile {
  readonly title: string;
  readonly published?: {
    readonly source?: 'thesis' | 'fang';
    readonly name: string;
    readonly test: number;
    readonly validation?: number;
  };
  readonly train: RawObject;
}

export function readModel(
  { title, published, train }: ShownModelFile,
  id: string,
  runs: readonly RunResult[],
): ModelResult {
  // Prevents a line break inside "λ = .1".
  const unbroken = title.replaceAll(' = ', '\u00a0=\u00a0');
  return { id, title: unbroken, published: readPublished(published), train, runs };
}

function readPublished(published: ShownModelFile['published']): PublishedResult | null {
  if (published === undefined) return null;
  const { source, name, test, validation = 0 } = published;
  if (source === 'fang') return { source, name, test, validation: null };
  return { source: 'thesis', name, test, validation };
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
