import { TorchRandom } from '../snn/torch-random.ts';
import { drawEpochOrders } from '../training/order.ts';
import { type Comparison, compare, wholeValues } from './compare.ts';
import type { GivenCase } from './given-case.ts';
import type { CaseKind } from './kind.ts';
import { readSeed } from './random.ts';

/** The orders of one part of the data, by epoch. */
interface Part {
  readonly name: 'train' | 'val';
  readonly epochs: readonly (readonly number[])[];
}

/** The orders in which data loaders visit training and validation samples after `torch.manual_seed(seed)`. */
export const dataOrderKind: CaseKind = {
  keys: ['seed', 'batch', 'drop_last', 'num_workers', 'epochs'],
  *compare(given) {
    const { description } = given;
    const seed = readSeed(given);
    const batch = description.number('batch', { integer: true, min: 1 });
    // A partial batch at the end is dropped, but its positions are still part of the permutation.
    const mostDropped = description.flag('drop_last') ? batch - 1 : 0;
    // Workers only prepare samples; the order does not depend on them.
    if (description.has('num_workers')) description.count('num_workers');
    yield comparePart(readPart(given, 'train'), seed, mostDropped);
    yield comparePart(readPart(given, 'val'), seed, mostDropped);
  },
};

function readPart(given: GivenCase, name: Part['name']): Part {
  const epochs = Array.from({ length: countEpochs(given) }, (_, epoch) =>
    Array.from(given.whole(`epoch${epoch}/${name}`, ['any']).data, Number),
  );
  const [first = []] = epochs;
  const odd = epochs.findIndex(({ length }) => length !== first.length);
  if (odd >= 0) {
    const lengths = `"epoch0/${name}" has ${first.length} samples and "epoch${odd}/${name}" has ${epochs[odd]?.length}`;
    given.fail(`${lengths}; expected as many in every epoch`);
  }
  return { name, epochs };
}

/** As the description says or, if it does not, as the last epoch's name says. */
function countEpochs(given: GivenCase): number {
  const { description } = given;
  if (description.has('epochs')) return description.number('epochs', { integer: true, min: 1 });
  const numbers = given.names().flatMap((name) => /^epoch(\d+)\//.exec(name)?.[1] ?? []);
  if (numbers.length === 0) given.fail('tensor "epoch0/train" is missing from the folder');
  return Math.max(...numbers.map(Number)) + 1;
}

/**
 * The case does not have the number of samples, only that of whole batches: one of the few possible numbers must give every
 * epoch's order.
 */
function comparePart(part: Part, seed: number, mostDropped: number): Comparison {
  const first = part.epochs[0] ?? [];
  const fewest = part.epochs.flat().reduce((most, place) => Math.max(most, place + 1), first.length);
  const most = Math.max(fewest, first.length + mostDropped);
  const comparisons = Array.from({ length: most - fewest + 1 }, (_, i) =>
    compareCount(part, seed, fewest + i),
  );
  return comparisons.find(({ passed }) => passed) ?? comparisons[0]!;
}

function compareCount({ name, epochs }: Part, seed: number, count: number): Comparison {
  const random = new TorchRandom(seed);
  return compare(
    `${name} order`,
    'exact',
    epochs.map((expected, epoch) => {
      const orders = drawEpochOrders(random, { train: count, validation: count });
      const order = name === 'train' ? orders.train : orders.validation;
      return {
        name: `epoch${epoch}/${name}`,
        expected: wholeValues(expected),
        found: wholeValues(order.subarray(0, expected.length)),
      };
    }),
  );
}
