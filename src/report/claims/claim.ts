import type { Fields } from '../../formats/fields.ts';
import { findDataSet, titleDataset } from '../../thesis/data-sets.ts';
import { type Measure, type NetworkKey, readAccuracy, readMeasure } from './measure.ts';

/** A published share of a number of clips, and the whole number of clips behind it. */
export interface Published {
  readonly share: number;
  readonly correct: number;
  readonly clips: number;
}

/** How a run must have been trained to be judged by a claim. */
export interface Requirements {
  /** Fewest epochs. */
  readonly epochs: number;
  /** Share of the training clips held out for validation; null for the share of the thesis. */
  readonly validationShare: number | null;
  /** How the evaluated epoch must have been chosen; null for any way. */
  readonly selection: (typeof SELECTIONS)[number] | null;
}

/** One checkable statement: an entry of configs/claims.yaml. */
export interface Claim {
  readonly id: string;
  /** Its data set. */
  readonly dataset: string;
  /** In our own words. */
  readonly statement: string;
  readonly evidence: Evidence;
  readonly published: Published | null;
  readonly requires: Requirements;
  readonly measure: Measure;
}

/**
 * Reads configs/claims.yaml.
 *
 * @param models the existing published names; by default, claims may name any
 * @throws {ReproError} naming the file and the field
 */
export function readClaims(file: Fields, models?: ReadonlySet<string>): Claim[] {
  const sources = readSources(file);
  const seen = new Set<string>();
  const once = (fields: Fields, id: string) => {
    if (seen.has(id)) fields.fail('id', `is "${id}", like that of another claim`);
    seen.add(id);
  };
  const claims = file.objects('claims').map((fields): Claim => {
    const id = fields.text('id');
    once(fields, id);
    const measure = readMeasure(fields.object('measure'), models);
    if (measure.kind === 'accuracy' && !fields.has('published')) {
      fields.fail('published', 'is missing: an accuracy is compared with it');
    }
    const published = fields.has('published') ? fields.object('published') : null;
    const isTrained = measure.kind !== 'clips' && measure.kind !== 'parameters';
    if (isTrained && !fields.has('requires'))
      fields.fail('requires', 'is missing: state how many epochs this takes');
    return {
      id,
      dataset: 'dvs128-gesture',
      statement: fields.text('statement'),
      evidence: readEvidence(fields.object('evidence'), sources),
      published: published && readPublished(published),
      requires: readRequirements(fields),
      measure,
    };
  });
  const tables = file.has('tables') ? file.objects('tables') : [];
  const cells = tables.flatMap((table) => expandTable(table, sources));
  for (const [index, { id }] of cells.entries()) {
    if (seen.has(id)) file.fail('tables', `cell ${index} has the id "${id}" of another claim`);
    seen.add(id);
  }
  return [...claims, ...cells];
}

const SELECTIONS = ['validation', 'best-test'] as const;

function readRequirements(fields: Fields): Requirements {
  if (!fields.has('requires')) return { epochs: 1, validationShare: null, selection: null };
  const requires = fields.object('requires');
  return {
    epochs: requires.count('epochs'),
    validationShare: requires.has('validationShare') ? requires.share('validationShare') : null,
    selection: requires.has('selection') ? requires.choice('selection', SELECTIONS) : null,
  };
}

/** Of 288 clips, 95.5 % are 275.04: what was published is 275 of them, rounded. */
function readPublished(fields: Fields): Published {
  return wholeClips(fields.share('share'), fields.count('clips'), (problem) => fields.fail('share', problem));
}

function wholeClips(share: number, clips: number, fail: (problem: string) => never): Published {
  if (clips === 0) fail('is a share of 0 clips');
  const correct = Math.round(share * clips);
  const digits = Math.max(3, (String(share).split('.')[1] ?? '').length);
  // Twice the rounding: some cut off what others round.
  if (Math.abs(correct / clips - share) > 10 ** -digits) {
    const nearest = (correct / clips).toFixed(digits);
    fail(`is ${share}, which is not a whole number of ${clips} clips: ${correct} of them are ${nearest}`);
  }
  return { share, correct, clips };
}

/** A claim for each cell of a table that has networks in its rows and data sets in its columns. */
function expandTable(table: Fields, sources: ReadonlyMap<string, Source>): Claim[] {
  const evidence = readEvidence(table.object('evidence'), sources);
  const requires = readRequirements(table);
  const datasets = table.texts('datasets');
  const clips = table.numbers('clips', { min: 1, integer: true });
  if (clips.length !== datasets.length) table.fail('clips', 'needs one number for each data set');
  const measure = readAccuracy(table.object('measure'));
  return table.objects('rows').flatMap((row) => {
    const network = readNetworkKey(row.object('network'));
    const percent = row.numbers('percent', { min: 0, max: 100 });
    if (percent.length !== datasets.length) row.fail('percent', 'needs one number for each data set');
    const notes = row.has('notes') ? row.object('notes') : null;
    return datasets.map((dataset, column): Claim => {
      // Division leaves 99.72 / 100 a digit off.
      const share = Number((percent[column]! / 100).toFixed(6));
      const published = wholeClips(share, clips[column]!, (problem) => row.fail('percent', problem));
      const note = notes?.has(dataset) === true ? notes.text(dataset) : evidence.note;
      const what = findDataSet(dataset)?.kind === 'images' ? 'images' : 'clips';
      return {
        id: `${table.text('id')}-${row.text('id')}-${dataset}`,
        dataset,
        statement: `${titleNetwork(network)}: ${percent[column]!.toFixed(2)} % of the test ${what} of ${titleDataset(dataset)} (${table.text('protocol')})`,
        evidence: { ...evidence, note },
        published,
        requires,
        measure: { ...measure, model: row.text('model'), network },
      };
    });
  });
}

function readNetworkKey(fields: Fields): NetworkKey {
  return {
    neuron: fields.choice('neuron', ['plif', 'lif']),
    tau: fields.number('tau', { min: 1 }),
    pooling: fields.choice('pooling', ['max', 'average']),
  };
}

/** `PLIF, τ₀ 2, max pooling`: of LIF neurons, τ stays what it is at the start. */
function titleNetwork({ neuron, tau, pooling }: NetworkKey): string {
  return `${neuron.toUpperCase()}, τ${neuron === 'plif' ? '₀' : ''} ${tau}, ${pooling} pooling`;
}

const KINDS = ['pdf', 'readme'] as const;

/** A document that something was published in, as the very file that was read. */
export interface Source {
  readonly id: string;
  /** A few words, for use beside a statement. */
  readonly title: string;
  /** Which file it is, and where it can be had. */
  readonly file: string;
  readonly kind: (typeof KINDS)[number];
  readonly sha256: string;
}

/** Where in a source something is stated. */
export interface Evidence {
  readonly source: Source;
  /** A number, or the heading of a section without one. */
  readonly section: string;
  /** Of the PDF, from 1; null in a source without pages. */
  readonly page: number | null;
  /** A table or a figure; null for the text itself. */
  readonly at: string | null;
  /** What to know before relying on the statement, or on a verdict about it: whole sentences. */
  readonly note: string | null;
}

/** @throws {ReproError} naming the file and the field */
function readSources(fields: Fields): ReadonlyMap<string, Source> {
  return new Map(
    fields.objects('sources').map((source): [string, Source] => {
      const id = source.text('id');
      const sha256 = source.text('sha256');
      if (!/^[0-9a-f]{64}$/.test(sha256)) source.fail('sha256', 'is not 64 hexadecimal digits');
      const { title, file, kind } = {
        title: source.text('title'),
        file: source.text('file'),
        kind: source.choice('kind', KINDS),
      };
      return [id, { id, title, file, kind, sha256 }];
    }),
  );
}

/** @throws {ReproError} if it names no source, or a PDF without the page */
function readEvidence(fields: Fields, sources: ReadonlyMap<string, Source>): Evidence {
  const id = fields.text('source');
  const source = sources.get(id);
  if (source === undefined) {
    return fields.fail('source', `is "${id}", which is not one of ${[...sources.keys()].join(', ')}`);
  }
  if (source.kind === 'pdf' && !fields.has('page')) fields.fail('page', 'is missing: a PDF has pages');
  return {
    source,
    section: fields.text('section'),
    page: fields.has('page') ? fields.count('page') : null,
    at: fields.has('at') ? fields.text('at') : null,
    note: fields.has('note') ? fields.text('note') : null,
  };
}

/** `Thesis, section 4.3, page 7, table 1`. */
export function nameEvidence({ source, section, page, at }: Evidence): string {
  return [
    source.title,
    `section ${/^\d/.test(section) ? section : `“${section}”`}`,
    ...(page === null ? [] : [`page ${page}`]),
    ...(at === null ? [] : [at]),
  ].join(', ');
}
