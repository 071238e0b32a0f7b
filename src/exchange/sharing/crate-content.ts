import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import type { RunRecord } from '../../runner/store/records.ts';
import type { ReportVerdicts } from '../../verdicts/claims-file.ts';
import { type Citation, isKnownLicence } from './citation.ts';

/** A file of the crate; `more`: what is known of it besides. */
export interface CrateFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A finished run, as others are to see it. */
export interface CrateContent {
  /** `profile quick`, `profile quick with train.epochs=3`. */
  readonly configuration: string;
  /** The command that makes the run. */
  readonly command: string;
  readonly citation: Citation;
  readonly dataset: DatasetFacts;
  readonly simulated: boolean;
  /** Licence of the recordings: an address, or words if unknown. */
  readonly licence: string;
  /** In the order of the plan; at least one. */
  readonly records: readonly RunRecord[];
  /** Digest of the recordings' folder, as the stages read it; they are in no crate. */
  readonly recordings: string;
  /** All but the metadata file, by path. */
  readonly files: readonly CrateFile[];
  readonly verdicts: ReportVerdicts;
}

/** The workflow. */
export const PIPELINE = 'pipeline.yaml';

export const ref = (id: string) => ({ '@id': id });

/** A path as a relative address. */
export const addressOf = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Whether a path is this folder or file, or below it. */
export const coversPath = (top: string, path: string): boolean => path === top || path.startsWith(`${top}/`);

/** What is in the crate is called by its path, and anything else by its digest. */
export function idOf(
  { path, digest }: { readonly path: string; readonly digest: string | null },
  { files }: Pick<CrateContent, 'files'>,
): string {
  if (files.some((file) => file.path === path)) return addressOf(path);
  if (files.some((file) => file.path.startsWith(`${path}/`))) return `${addressOf(path)}/`;
  return `#sha256-${digest}`;
}

/** Whether a file is one that a stage made. */
export const isMade = (file: string, records: readonly RunRecord[]): boolean =>
  records.some(({ outputs }) => outputs.some(({ path }) => coversPath(path, file)));

/**
 * The files of a run that may be packed: those with frames under the licence of the recordings, or not at all if none is known. All others have
 * the crate's licence, which is this project's.
 */
export function licenseFrames<File extends CrateFile>(
  files: readonly File[],
  hasFrames: (file: File) => boolean,
  licence: string,
): File[] {
  if (!isKnownLicence(licence)) return files.filter((file) => !hasFrames(file));
  return files.map((file) => (hasFrames(file) ? { ...file, more: { license: ref(licence) } } : file));
}

/** What is in a crate and what it is of, in a sentence or two. */
export function summariseCrate({
  configuration,
  citation,
  simulated,
  records,
}: Omit<CrateContent, 'files' | 'recordings' | 'verdicts'>): string {
  return [
    `A finished run (${configuration}) of ${citation.title}.`,
    simulated ? 'The recordings are simulated: its results say nothing about real ones.' : '',
    records.some(({ dirty }) => dirty === true)
      ? 'Some stages ran with changes that were not committed: the commit alone does not give their code.'
      : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** The crate's README.md, for people who open the zip. */
export function formatCrateReadme(content: CrateContent): string {
  const { citation, command, records, files, simulated, licence } = content;
  const { title, homepage } = content.dataset;
  // All stages are up to date with the code of the latest.
  const latest = records.toSorted((one, two) => compareCodeUnits(one.startedAt, two.startedAt)).at(-1);
  const left = records.flatMap(({ outputs }) => outputs.filter((one) => idOf(one, content).startsWith('#')));
  const report = files.find(({ path }) => path.endsWith('report/index.html'))?.path ?? 'artifacts/';
  return [
    ...[`# ${citation.title}`, '', summariseCrate(content), ''],
    `- To read first: \`${report}\`. Trained networks: \`artifacts/train/\`. What each stage read and made: \`records/\`.`,
    `- To make it again: check out commit ${latest?.commit ?? 'unknown'} of ${citation['repository-code']}, then \`npm ci && ${command}\`.`,
    ...left.map(({ path, digest }) => `- Not in here: \`${path}\` (folder digest ${digest}).`),
    ...(isKnownLicence(licence)
      ? []
      : ['- Not in here: frames, and the explorable page, which contains some.']),
    `- Recordings: ${simulated ? 'simulated by this project' : [title, homepage].filter(Boolean).join(', ')}; licence ${licence}.`,
    '- For programs: `ro-crate-metadata.json` (RO-Crate 1.3, Provenance Run Crate 0.6).',
    '',
  ].join('\n');
}
