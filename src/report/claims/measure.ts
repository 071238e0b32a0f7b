import type { Fields } from '../../formats/fields.ts';

/** The settings that tell the networks of one table of accuracies from each other. */
export interface NetworkKey {
  readonly neuron: 'plif' | 'lif';
  /** At the start, in time steps; of LIF neurons it stays. */
  readonly tau: number;
  readonly pooling: 'max' | 'average';
}

/** From and to, both included, in time steps. */
export type Bounds = readonly [number, number];

/** What the smallest and the largest τ of a model's layer must be; null for any value. */
export interface TauRange {
  readonly model: string;
  readonly smallest: Bounds | null;
  readonly largest: Bounds | null;
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
      /** Finds a model whose file has no published name; null if only the name counts. */
      readonly network: NetworkKey | null;
      readonly split: 'test' | 'validation';
      readonly epoch: 'maximum' | 'chosen';
    }
  /** `margin`: the largest difference that counts as none, in clips. */
  | ({ readonly kind: 'difference'; readonly margin: number } & Pair)
  | ({ readonly kind: 'below' } & Pair)
  | { readonly kind: 'best-epoch'; readonly before: number }
  | { readonly kind: 'spread'; readonly model: string; readonly below: number; readonly within: number }
  | ({ readonly kind: 'speed' } & Pair)
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
  | { readonly kind: 'clips'; readonly split: 'train' | 'test'; readonly count: number }
  | { readonly kind: 'parameters'; readonly model: string; readonly count: number };

export type MeasureOf<Kind extends Measure['kind']> = Extract<Measure, { readonly kind: Kind }>;

const KINDS = [
  'accuracy',
  'difference',
  'below',
  'best-epoch',
  'spread',
  'speed',
  'alike',
  'apart',
  'overshoot',
  'range',
  'clips',
  'parameters',
] as const;

/**
 * @param models the existing published names; by default, a measure may name any
 * @throws {ReproError} naming the file and the field
 */
export function readMeasure(fields: Fields, models?: ReadonlySet<string>): Measure {
  const kind = fields.choice('kind', KINDS);
  const steps = (name: string) => fields.number(name, { min: 0 });
  const know = (from: Fields, field: string, name: string): string => {
    if (models === undefined || models.has(name)) return name;
    return from.fail(
      field,
      `is "${name}", but no model's file has this \`published.name\`; there are ${[...models].join(', ')}`,
    );
  };
  const readModel = (from: Fields = fields) => know(from, 'model', from.text('model'));
  const pair = () => ({
    model: readModel(),
    others: fields.texts('others').map((name, index) => know(fields, `others[${index}]`, name)),
  });
  switch (kind) {
    case 'accuracy':
      return { ...readAccuracy(fields), model: readModel(), network: null };
    case 'difference':
      return { kind, ...pair(), margin: fields.count('margin') };
    case 'below':
    case 'speed':
    case 'alike':
      return { kind, ...pair() };
    case 'best-epoch':
      return { kind, before: fields.count('before') };
    case 'spread':
      return { kind, model: readModel(), below: steps('below'), within: fields.count('within') };
    case 'apart':
      return { kind, ...pair(), layer: fields.count('layer'), distance: steps('distance') };
    case 'overshoot':
      return {
        kind,
        model: readModel(),
        layer: fields.count('layer'),
        within: fields.count('within'),
        by: steps('by'),
      };
    case 'range':
      return {
        kind,
        layer: fields.count('layer'),
        ranges: fields.objects('ranges').map((range) => readRange(range, readModel(range))),
      };
    case 'clips':
      return { kind, split: fields.choice('split', ['train', 'test']), count: fields.count('count') };
    case 'parameters':
      return { kind, model: readModel(), count: fields.count('count') };
  }
}

/** What accuracies of one table have in common. */
export function readAccuracy(fields: Fields): Pick<MeasureOf<'accuracy'>, 'kind' | 'split' | 'epoch'> {
  return {
    kind: fields.choice('kind', ['accuracy']),
    split: fields.choice('split', ['test', 'validation']),
    epoch: fields.choice('epoch', ['maximum', 'chosen']),
  };
}

function readRange(fields: Fields, model: string): TauRange {
  return {
    model,
    smallest: readBounds(fields, 'smallest'),
    largest: readBounds(fields, 'largest'),
  };
}

function readBounds(fields: Fields, name: string): Bounds | null {
  if (!fields.has(name)) return null;
  const [low, high, ...rest] = fields.numbers(name, { min: 0 });
  if (low === undefined || high === undefined || rest.length > 0 || low > high) {
    return fields.fail(name, 'is not two numbers, the smaller one first');
  }
  return [low, high];
}

/** The models of a measure, the compared one first; null for all models of the thesis. */
export function modelsOf(measure: Measure): readonly string[] | null {
  switch (measure.kind) {
    case 'best-epoch':
    case 'clips':
      return null;
    case 'range':
      return measure.ranges.map(({ model }) => model);
    default:
      return 'others' in measure ? [measure.model, ...measure.others] : [measure.model];
  }
}
