import type { DatasetFacts } from '../datasets/contract/dataset.ts';
import type { ReportVerdicts } from '../results/claims-file.ts';
import type { RunRecord } from '../runner/store/records.ts';
import type { Citation } from './citation.ts';

/** Something of RO-Crate's graph: an id, a type, properties; other entities are named by their ids. */
export type Entity = {
  readonly '@id': string;
  readonly '@type': string | readonly string[];
  readonly [property: string]: unknown;
};

/** A file of the crate; `more`: what is known of it besides. */
export interface CrateFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A finished run, as others are to see it. */
export interface PublishedRun {
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
}

export interface CrateContent extends PublishedRun {
  /** Digest of the recordings' folder, as the stages read it; they are in no crate. */
  readonly recordings: string;
  /** All but the metadata file, by path. */
  readonly files: readonly CrateFile[];
  readonly verdicts: ReportVerdicts;
}

/** The workflow. */
export const PIPELINE = 'pipeline.yaml';

export const ref = (id: string) => ({ '@id': id });
export const refs = (ids: Iterable<string>) => [...new Set(ids)].map(ref);

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

/** When a run of a stage ended, ISO 8601 in UTC. */
export function endOf({ startedAt, seconds }: RunRecord): string {
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
}
