import type { ClipIndex } from '../results/clip-index.ts';
import type { RunRecord } from '../runner/store/records.ts';
import { nameRecordings } from '../thesis/data-sets.ts';
import { nameAuthor } from './citation.ts';
import { type CrateFile, endOf, type PublishedRun } from './entity.ts';

/** What a stage made of the recordings, or these, if it simulates them. */
export interface MadeData {
  readonly record: RunRecord;
  /** In a word, and in sentences. */
  readonly what: string;
  readonly description: string;
  readonly files: readonly CrateFile[];
  /** The list of clips, if this is a frame cache. */
  readonly clips?: string;
}

const own = (names: string) => Object.fromEntries(names.split(' ').map((name) => [name, `cr:${name}`]));

/** The specification's context, but with https as its examples and its reader, mlcroissant, have it; without terms that are not used here. */
const CONTEXT = {
  ...{ '@language': 'en', '@vocab': 'https://schema.org/' },
  ...{ sc: 'https://schema.org/', cr: 'http://mlcommons.org/croissant/', dct: 'http://purl.org/dc/terms/' },
  ...own('citeAs extract field fileObject jsonPath recordSet source'),
  conformsTo: 'dct:conformsTo',
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
};

/**
 * Croissant metadata of a data set, a JSON-LD document. The addresses of its files are their paths.
 *
 * @see http://mlcommons.org/croissant/1.1
 */
export function describeCroissant(
  { record, what, description, files, clips }: MadeData,
  run: PublishedRun,
): object {
  const { citation, dataset, simulated, licence } = run;
  return {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.1',
    name: `${what}: ${nameRecordings({ dataset: dataset.name, simulated })}`,
    description,
    license: licence,
    url: simulated ? citation['repository-code'] : dataset.homepage,
    datePublished: endOf(record).slice(0, 10),
    version: citation.version,
    citeAs: simulated ? citation.title : dataset.citation,
    creator: citation.authors.map((author) => ({
      '@type': author.name === undefined ? 'sc:Person' : 'sc:Organization',
      name: nameAuthor(author),
    })),
    distribution: files.map(({ path, sizeBytes, sha256 }) => ({
      '@type': 'cr:FileObject',
      '@id': path,
      name: path.split('/').at(-1),
      contentUrl: path,
      contentSize: `${sizeBytes} B`,
      encodingFormat: path.endsWith('.json') ? 'application/json' : 'application/octet-stream',
      sha256,
    })),
    recordSet: clips && [describeClips(clips)],
  };
}

/** One record a clip. Of both splits together: mlcroissant reads no two lists of different lengths from one file. */
function describeClips(file: string): object {
  const field = (name: string, dataType: string, description: string) => ({
    ...{ '@type': 'cr:Field', '@id': `clips/${name}`, name, description, dataType },
    source: { fileObject: { '@id': file }, extract: { jsonPath: `$.splits.*[*].${name}` } },
  });
  return {
    ...{ '@type': 'cr:RecordSet', '@id': 'clips', name: 'clips' },
    description: 'The rows of train.npy, then those of test.npy.',
    field: [
      field('recording', 'sc:Text', 'Path of its file in the data set'),
      field('class', 'sc:Integer', 'Index of its class, from 0'),
    ],
  };
}

/** What the frames of a cache are, in words. */
export function describeFrames({ classes, frames, splits }: ClipIndex): string {
  const { steps, height, width, dtype, splitBy } = frames;
  const content =
    splitBy === null
      ? 'Still images'
      : `Event counts [clips, ${steps}, 2, ${height}, ${width}] in ${dtype}: ${steps} frames a clip, split by ${splitBy}`;
  const counts = `${splits.train.length} clips to train on, ${splits.test.length} to test on`;
  return `${content}; ${counts}, in ${classes.length} classes: ${classes.join(', ')}.`;
}
