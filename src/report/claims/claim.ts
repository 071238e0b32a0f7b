import type { Fields } from '../../formats/fields.ts';

/** What a claim is about. Models are named as in the thesis' table 1. */
export type Measure =
  | {
      readonly kind: 'accuracy';
      readonly model: string;
      readonly split: 'test' | 'validation';
      readonly epoch: 'maximum' | 'chosen';
    }
  | { readonly kind: 'difference'; readonly model: string; readonly others: readonly string[] }
  | { readonly kind: 'best-epoch'; readonly before: number }
  | { readonly kind: 'spread'; readonly model: string; readonly below: number; readonly within: number }
  | { readonly kind: 'speed'; readonly model: string; readonly others: readonly string[] }
  | {
      readonly kind: 'apart';
      readonly model: string;
      readonly others: readonly string[];
      /** From 0. */
      readonly layer: number;
      /** Time steps. */
      readonly distance: number;
    }
  | { readonly kind: 'clips'; readonly split: 'train' | 'test'; readonly count: number }
  | { readonly kind: 'parameters'; readonly model: string; readonly count: number };

/** A published share of so many clips, and the whole number of clips that was rounded to it. */
export interface Published {
  readonly share: number;
  readonly correct: number;
  readonly clips: number;
}

/** One checkable statement: an entry of configs/claims.yaml. */
export interface Claim {
  readonly id: string;
  readonly source: string;
  readonly statement: string;
  readonly published: Published | null;
  readonly measure: Measure;
  /** Fewest epochs of training with which it can be judged. */
  readonly epochs: number;
}

export interface Claims {
  /** The largest difference of accuracies, a share of the clips, that counts as none. */
  readonly margin: number;
  readonly claims: readonly Claim[];
}

/** Reads configs/claims.yaml. @throws {ReproError} naming the file and the field */
export function readClaims(file: Fields): Claims {
  const seen = new Set<string>();
  const claims = file.objects('claims').map((fields): Claim => {
    const id = fields.text('id');
    if (seen.has(id)) fields.fail('id', `is "${id}" a second time`);
    seen.add(id);
    const measure = readMeasure(fields.object('measure'));
    if (measure.kind === 'accuracy' && !fields.has('published')) {
      fields.fail('published', 'is missing: an accuracy is compared with it');
    }
    const published = fields.has('published') ? fields.object('published') : null;
    const isTrained = measure.kind !== 'clips' && measure.kind !== 'parameters';
    if (isTrained && !fields.has('requires'))
      fields.fail('requires', 'is missing: how many epochs does this take?');
    return {
      id,
      source: fields.text('source'),
      statement: fields.text('statement'),
      published: published && readPublished(published),
      measure,
      epochs: fields.has('requires') ? fields.object('requires').count('epochs') : 1,
    };
  });
  return { margin: file.share('margin'), claims };
}

/** Of 288 clips, 95.5 % are 275.04: what was published is 275 of them, rounded. */
function readPublished(fields: Fields): Published {
  const [share, clips] = [fields.share('share'), fields.count('clips')];
  if (clips === 0) fields.fail('clips', 'is 0: a share needs clips');
  const correct = Math.round(share * clips);
  const digits = Math.max(3, (String(share).split('.')[1] ?? '').length);
  // Twice the rounding: some cut off what others round.
  if (Math.abs(correct / clips - share) > 10 ** -digits) {
    const nearest = (correct / clips).toFixed(digits);
    fields.fail(
      'share',
      `is ${share}, which is no whole number of ${clips} clips: ${correct} of them are ${nearest}`,
    );
  }
  return { share, correct, clips };
}

const KINDS = [
  'accuracy',
  'difference',
  'best-epoch',
  'spread',
  'speed',
  'apart',
  'clips',
  'parameters',
] as const;

function readMeasure(fields: Fields): Measure {
  const kind = fields.choice('kind', KINDS);
  const model = () => fields.text('model');
  const others = () => fields.texts('others');
  switch (kind) {
    case 'accuracy':
      return {
        kind,
        model: model(),
        split: fields.choice('split', ['test', 'validation']),
        epoch: fields.choice('epoch', ['maximum', 'chosen']),
      };
    case 'difference':
    case 'speed':
      return { kind, model: model(), others: others() };
    case 'best-epoch':
      return { kind, before: fields.count('before') };
    case 'spread':
      return {
        kind,
        model: model(),
        below: fields.number('below', { min: 0 }),
        within: fields.count('within'),
      };
    case 'apart':
      return {
        kind,
        model: model(),
        others: others(),
        layer: fields.count('layer'),
        distance: fields.number('distance', { min: 0 }),
      };
    case 'clips':
      return { kind, split: fields.choice('split', ['train', 'test']), count: fields.count('count') };
    case 'parameters':
      return { kind, model: model(), count: fields.count('count') };
  }
}
