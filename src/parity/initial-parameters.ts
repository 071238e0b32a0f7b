import { createHash } from 'node:crypto';
import type { Fields } from '../formats/fields.ts';
import { AUGMENTATIONS } from '../results/clip-index.ts';
import { numbers, type Read, readShape, text, type Value } from '../results/shape.ts';
import { initialState } from '../snn/initialise.ts';
import { buildNetwork } from '../snn/networks.ts';
import { stateEntries } from '../snn/parameters.ts';
import { spikingLayers, type TauSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { TorchRandom } from '../snn/torch-random.ts';
import { countDraws } from '../training/image-source.ts';
import { type Comparison, compare, describeShape, type TensorPair, toValues } from './compare.ts';
import { checkKeys, describeFields, seedNumber } from './given-case.ts';
import { type NetworkSize, networkSizeOf, sizeShape, votes } from './network-description.ts';

/** What index.json says about a tensor that is too large to store. */
const digestShape = {
  shape: ((fields, name) => fields.numbers(name, { integer: true, min: 1 })) as Read<readonly number[]>,
  /** The first values, in C order. */
  first: numbers,
  /** The hash of all values as little-endian single-precision numbers. */
  sha256_f32le: text,
};
type Digest = Value<typeof digestShape>;

type Digests = ReadonlyMap<string, Digest>;

/** Keys for how τ starts: per layer, or per neuron with the standard deviation of the thesis or with none. */
const taus: ReadonlyMap<string, TauSpec> = new Map([
  ['layer_tau', { per: 'layer', mean: 2, std: 0 }],
  ['neuron_tau', { per: 'neuron', mean: 2, std: 0.1 }],
  ['neuron_tau_std_0', { per: 'neuron', mean: 2, std: 0 }],
]);

/** The network of the thesis for DVS128 Gesture. */
const thesisSize: NetworkSize = {
  input: [2, 128, 128],
  channels: 128,
  layers: 5,
  hidden: 512,
  classes: 11,
  votes,
};

/** `dvs128_initial_parameters` in index.json: the thesis' network. */
export function* compareThesisParameters(name: string, value: unknown): Generator<Comparison> {
  const fields = describeFields(value, name);
  checkKeys(fields, ['seed', 'note', ...taus.keys()]);
  yield* compareTaus(fields, '', seedNumber(fields, 'seed'), thesisSize);
}

/** `initial_parameters` in index.json: networks by name, each with its description. */
export function* compareNamedParameters(name: string, value: unknown): Generator<Comparison> {
  const fields = describeFields(value, name);
  const seed = seedNumber(fields, 'seed');
  const networks = fields.keys().filter((key) => key !== 'seed' && key !== 'note');
  if (networks.length === 0) fields.fail('', 'names no network');
  for (const network of networks) {
    const described = fields.object(network);
    checkKeys(described, [...Object.keys(sizeShape), 'augmentation', 'images', ...taus.keys()]);
    yield* compareTaus(described, `${network}, `, seed, networkSizeOf(readShape(described, sizeShape)));
  }
}

function* compareTaus(
  fields: Fields,
  prefix: string,
  seed: number,
  size: NetworkSize,
): Generator<Comparison> {
  const given = [...taus].filter(([name]) => fields.has(name));
  if (given.length === 0) fields.fail([...taus.keys()].join('" or "'), 'is missing');
  for (const [name, tau] of given) {
    const digests = readDigests(fields.object(name));
    const spec = buildNetwork({
      ...size,
      neuron: 'plif',
      tau,
      reset: { kind: 'hard', detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
    });
    const parameters = stateEntries(spec).filter(({ role }) => role === 'parameter');
    const names = [...new Set([...parameters.map(({ name }) => name), ...digests.keys()])];
    const random = new TorchRandom(seed);
    if (fields.has('images')) {
      random.skip(fields.count('images') * countDraws(fields.choice('augmentation', AUGMENTATIONS)));
    }
    const state = initialState(spec, random);
    const drawnNormally = new Set(
      tau.per === 'neuron' && tau.std > 0 ? spikingLayers(spec).map((layer) => `${layer.name}.w`) : [],
    );
    yield compareDigests(
      `${prefix}${name}`,
      names.filter((one) => !drawnNormally.has(one)),
      digests,
      state,
    );
    if (drawnNormally.size > 0)
      yield compareDigests(`${prefix}${name}, w`, [...drawnNormally], digests, state, true);
  }
}

/**
 * Uniform numbers and constants must have the same sha256. Normal numbers with a different hash may come from another processor: then
 * only their first values can be compared, and `values` counts only those.
 */
function compareDigests(
  what: string,
  names: readonly string[],
  digests: Digests,
  state: State,
  normal = false,
): Comparison {
  let values = 0;
  let reason: string | null = null;
  const pairs: TensorPair[] = [];
  for (const name of names) {
    const digest = digests.get(name);
    const tensor = state.get(name);
    if (digest === undefined || tensor?.dtype !== 'F32') {
      reason ??=
        digest === undefined
          ? `"${name}" is missing from the folder`
          : `the folder has "${name}", the network has no such parameter`;
      continue;
    }
    if (digest.shape.join() !== tensor.shape.join()) {
      reason ??= `"${name}": the folder has shape ${describeShape(digest.shape)}, this program computes ${describeShape(tensor.shape)}`;
      continue;
    }
    const first = tensor.data.subarray(0, digest.first.length);
    pairs.push({ name, expected: toValues(digest.first), found: toValues(first) });
    const sha256 = hash(tensor.data);
    values += sha256 === digest.sha256_f32le ? tensor.data.length : digest.first.length;
    if (sha256 !== digest.sha256_f32le && !normal) {
      reason ??= `"${name}": the folder has sha256 ${digest.sha256_f32le.slice(0, 12)}…, this program computes ${sha256.slice(0, 12)}…`;
    }
  }
  const comparison = compare(what, normal ? 'normal' : 'exact', pairs);
  reason ??= comparison.reason;
  return { ...comparison, values, reason, passed: comparison.passed && reason === null };
}

function hash({ buffer, byteOffset, byteLength }: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

function readDigests(fields: Fields): Digests {
  return new Map(
    fields.keys().map((name) => {
      const entry = fields.object(name);
      checkKeys(entry, Object.keys(digestShape));
      const digest = readShape(entry, digestShape);
      return [name, digest.first.length === 0 ? entry.fail('first', 'is empty') : digest];
    }),
  );
}
