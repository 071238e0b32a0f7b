import { THESIS } from '../../results/thesis/published.ts';
import { namePlace } from '../../verdicts/words.ts';
import type { ResultSplit } from '../data/results.ts';

/** The settings that tell the networks of one table of accuracies from each other. */
export interface NetworkKey {
  readonly neuron: 'plif' | 'lif';
  /** At the start, in time steps; of LIF neurons it stays. */
  readonly tau: number;
  readonly pooling: 'max' | 'average';
}

/** From and to, both included, in time steps. */
export type Bounds = readonly [number, number];

/** What the smallest and the largest τ of a model's layer must be; by default, any value. */
interface TauRange {
  readonly model: string;
  readonly smallest?: Bounds;
  readonly largest?: Bounds;
}

interface Pair {
  readonly model: string;
  readonly others: readonly string[];
}

/** What a claim is about. Models are named as in their files (`published.name`); layers count from 0, τ is in time steps. */
export type Measure =
  | {
      readonly kind: 'accuracy';
      readonly model: string;
      /** Finds a model whose file has no published name; by default, only the name counts. */
      readonly network?: NetworkKey;
      readonly split: 'test' | 'validation';
      readonly epoch: 'maximum' | 'chosen';
    }
  /** `margin`: the largest difference that counts as none, in clips. */
  | ({ readonly kind: 'difference'; readonly margin: number } & Pair)
  | ({ readonly kind: 'below' } & Pair)
  | { readonly kind: 'best-epoch'; readonly before: number }
  /** `margin`: the largest difference that counts as none, in clips; `last`: the epochs averaged. */
  | ({ readonly kind: 'final'; readonly margin: number; readonly last: number } & Pair)
  | { readonly kind: 'spread'; readonly model: string; readonly below: number; readonly within: number }
  /** `of`: each neuron's τ, or the τ at the mean of w, as figure 1 of the thesis draws it. */
  | ({ readonly kind: 'speed'; readonly of: 'mean' | 'neurons' } & Pair)
  | ({ readonly kind: 'steady'; readonly layer: number } & Pair)
  | ({ readonly kind: 'alike' } & Pair)
  | ({ readonly kind: 'apart'; readonly layer: number; readonly distance: number } & Pair)
  | {
      readonly kind: 'overshoot';
      readonly model: string;
      readonly layer: number;
      readonly within: number;
      readonly by: number;
    }
  | { readonly kind: 'range'; readonly layer: number; readonly ranges: readonly TauRange[] }
  | { readonly kind: 'clips'; readonly splits: readonly ResultSplit[]; readonly count: number }
  | { readonly kind: 'parameters'; readonly model: string; readonly count: number }
  /** What no training can confirm or contradict, and why. */
  | { readonly kind: 'untestable'; readonly because: string };

export type MeasureOf<Kind extends Measure['kind']> = Extract<Measure, { readonly kind: Kind }>;

/** The models of a measure, the compared one first; null for all models of the thesis. */
export function modelsOf(measure: Measure): readonly string[] | null {
  if ('ranges' in measure) return measure.ranges.map(({ model }) => model);
  if ('others' in measure) return [measure.model, ...measure.others];
  return 'model' in measure ? [measure.model] : null;
}

/** A published share of a number of clips, and the whole number of clips behind it. */
export interface Published {
  readonly share: number;
  readonly correct: number;
  readonly clips: number;
}

/** How a run must have been trained to be judged by a claim. */
export interface Requirements {
  readonly epochs: number;
  /** Share of the training clips held out for validation; by default, the share of the thesis. */
  readonly validationShare?: number;
  /** How the evaluated epoch must have been chosen; by default, in any way. */
  readonly selection?: 'validation' | 'best-test';
}

/** A document that something was published in, as the very file that was read. */
export interface Source {
  readonly id: string;
  /** A few words, for use beside a statement. */
  readonly title: string;
  /** Which file it is, and where it can be had. */
  readonly file: string;
  readonly kind: 'pdf' | 'readme';
  readonly sha256: string;
}

/** Where in a source something is stated. */
interface SourcePlace {
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

export interface Claim {
  readonly id: string;
  readonly dataset: string;
  readonly statement: string;
  readonly evidence: SourcePlace;
  readonly published: Published | null;
  readonly requires: Requirements;
  readonly measure: Measure;
}

interface EvidenceEntry {
  /** Its id. */
  readonly source: string;
  readonly section: string;
  readonly page?: number;
  readonly at?: string;
  readonly note?: string;
}

/** configs/claims.yaml, that schemas/claims.schema.json accepts. */
interface ClaimsFile {
  readonly sources: readonly Source[];
  readonly claims: readonly {
    readonly id: string;
    readonly statement: string;
    readonly evidence: EvidenceEntry;
    readonly published?: Pick<Published, 'share' | 'clips'>;
    readonly requires?: Requirements;
    readonly measure: Measure;
  }[];
  /** Accuracies: networks in rows and data sets in columns. Each cell is a claim. */
  readonly tables?: readonly {
    readonly id: string;
    readonly protocol: string;
    readonly evidence: EvidenceEntry;
    readonly requires: Requirements;
    readonly measure: Pick<MeasureOf<'accuracy'>, 'kind' | 'split' | 'epoch'>;
    /** What their source calls them, by name. */
    readonly datasets: Readonly<Record<string, string>>;
    readonly clips: readonly number[];
    readonly rows: readonly {
      readonly id: string;
      readonly model: string;
      readonly network: NetworkKey;
      readonly percent: readonly number[];
      /** By data set. */
      readonly notes?: Readonly<Record<string, string>>;
    }[];
  }[];
}

/** @param path of a field: `claims[3].published.share` */
type Fail = (path: string, problem: string) => never;

/** The claims of configs/claims.yaml, with those of its tables, checked beyond its schema. @param models the existing published names; by default, any */
export function readClaims(content: unknown, fail: Fail, models?: ReadonlySet<string>): Claim[] {
  const file = content as ClaimsFile;
  const sources = new Map(file.sources.map((source) => [source.id, source]));
  const claims = file.claims.map(({ published, requires = { epochs: 1 }, ...entry }, index): Claim => {
    const at = `claims[${index}]`;
    const { measure } = entry;
    checkMeasure(measure, `${at}.measure`, fail, models);
    if (measure.kind === 'accuracy' && published === undefined) {
      fail(`${at}.published`, 'is missing: an accuracy is compared with it');
    }
    return {
      id: entry.id,
      dataset: THESIS.dataset,
      statement: entry.statement,
      evidence: findEvidence(entry.evidence, sources, `${at}.evidence`, fail),
      published: published === undefined ? null : wholeClips(published, `${at}.published.share`, fail),
      requires,
      measure,
    };
  });
  const all = [...claims, ...expandTables(file, sources, fail)];
  const ids = all.map(({ id }) => id);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) < index);
  if (twice >= 0) {
    const place = twice < claims.length ? `claims[${twice}].id` : 'tables';
    fail(place, `is "${ids[twice]}", like that of another claim`);
  }
  return all;
}

/** The models of a measure must exist, and the bounds of a range be in order. */
function checkMeasure(measure: Measure, at: string, fail: Fail, models?: ReadonlySet<string>): void {
  const names = modelsOf(measure) ?? [];
  const unknown = names.findIndex((name) => models?.has(name) === false);
  if (unknown >= 0) {
    const others = unknown === 0 ? 'model' : `others[${unknown - 1}]`;
    const field = measure.kind === 'range' ? `ranges[${unknown}].model` : others;
    fail(
      `${at}.${field}`,
      `is "${names[unknown]}", but no model's file has this \`published.name\`; there are ${[...(models ?? [])].join(', ')}`,
    );
  }
  if (measure.kind !== 'range') return;
  for (const [index, { smallest, largest }] of measure.ranges.entries()) {
    for (const [low, high] of [smallest ?? [0, 0], largest ?? [0, 0]])
      if (low > high) fail(`${at}.ranges[${index}]`, 'has bounds with the larger number first');
  }
}

/** Of 288 clips, 95.5 % are 275.04: what was published is 275 of them, rounded. */
function wholeClips({ share, clips }: Pick<Published, 'share' | 'clips'>, at: string, fail: Fail): Published {
  const correct = Math.round(share * clips);
  const digits = Math.max(3, (String(share).split('.')[1] ?? '').length);
  // Twice the rounding: some cut off what others round.
  if (Math.abs(correct / clips - share) > 10 ** -digits) {
    const nearest = (correct / clips).toFixed(digits);
    fail(at, `is ${share}, which is not a whole number of ${clips} clips: ${correct} of them are ${nearest}`);
  }
  return { share, correct, clips };
}

/** A claim for each cell. */
function expandTables(
  { tables = [] }: ClaimsFile,
  sources: ReadonlyMap<string, Source>,
  fail: Fail,
): Claim[] {
  return tables.flatMap(({ id, protocol, requires, measure, datasets, clips, rows, ...table }, index) => {
    const at = `tables[${index}]`;
    const evidence = findEvidence(table.evidence, sources, `${at}.evidence`, fail);
    const names = Object.entries(datasets);
    if (clips.length !== names.length) fail(`${at}.clips`, 'needs one number for each data set');
    return rows.flatMap(({ network, percent, notes = {}, ...row }, rowIndex) => {
      const place = `${at}.rows[${rowIndex}].percent`;
      if (percent.length !== names.length) fail(place, 'needs one number for each data set');
      return names.map(([dataset, datasetTitle], column): Claim => {
        // Division leaves 99.72 / 100 a digit off.
        const share = Number((percent[column]! / 100).toFixed(6));
        return {
          id: `${id}-${row.id}-${dataset}`,
          dataset,
          statement: `${titleNetwork(network)}: ${percent[column]!.toFixed(2)} % of the test set of ${datasetTitle} (${protocol})`,
          evidence: { ...evidence, note: notes[dataset] ?? evidence.note },
          published: wholeClips({ share, clips: clips[column]! }, place, fail),
          requires,
          measure: { ...measure, model: row.model, network },
        };
      });
    });
  });
}

/** `PLIF, τ₀ 2, max pooling`: of LIF neurons, τ stays what it is at the start. */
function titleNetwork({ neuron, tau, pooling }: NetworkKey): string {
  return `${neuron.toUpperCase()}, τ${neuron === 'plif' ? '₀' : ''} ${tau}, ${pooling} pooling`;
}

function findEvidence(
  { source: id, section, page, at, note }: EvidenceEntry,
  sources: ReadonlyMap<string, Source>,
  place: string,
  fail: Fail,
): SourcePlace {
  const source =
    sources.get(id) ??
    fail(`${place}.source`, `is "${id}", which is not one of ${[...sources.keys()].join(', ')}`);
  if (source.kind === 'pdf' && page === undefined) fail(`${place}.page`, 'is missing: a PDF has pages');
  return { source, section, page: page ?? null, at: at ?? null, note: note ?? null };
}

/** `Thesis, section 4.3, page 7, table 1`. */
export function nameEvidence(place: SourcePlace): string {
  return `${place.source.title}, ${namePlace(place)}`;
}
