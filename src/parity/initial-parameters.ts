import { createHash } from 'node:crypto';
import type { Fields } from '../formats/fields.ts';
import { initialState } from '../snn/initialise.ts';
import { buildNetwork } from '../snn/networks.ts';
import { stateEntries } from '../snn/parameters.ts';
import { spikingLayers } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { type Comparison, compare, describeShape, listValues, type Pair } from './compare.ts';
import { checkKeys, describeFields } from './given-case.ts';
import { type NetworkSize, readSize, sizeKeys, votes } from './network-description.ts';
import { readSeed } from './random.ts';

/** What index.json has of a tensor too large to keep. */
interface Digest {
  readonly shape: readonly number[];
  /** Its first values, in C order. */
  readonly first: readonly number[];
  /** Of all values as little-endian single-precision numbers. */
  readonly sha256: string;
}

type Digests = ReadonlyMap<string, Digest>;

/** One τ a layer, or one a neuron, log-normal with mean 2 and standard deviation 0.1 as in the thesis. */
const taus = {
  layer_tau: { per: 'layer', mean: 2, std: 0 },
  neuron_tau: { per: 'neuron', mean: 2, std: 0.1 },
} as const;

type TauName = keyof typeof taus;

const tauNames = Object.keys(taus) as TauName[];

/** `dvs128_initial_parameters` of index.json: the thesis' network, its sizes being those of its tensors. */
export function* compareThesisParameters(name: string, value: unknown): Generator<Comparison> {
  const fields = describeFields(value, name);
  checkKeys(fields, ['seed', 'note', ...tauNames]);
  yield* compareTaus(fields, '', readSeed({ description: fields }), inferSize);
}

/** `initial_parameters` of index.json: networks by name, each with its description. */
export function* compareNamedParameters(name: string, value: unknown): Generator<Comparison> {
  const fields = describeFields(value, name);
  const seed = readSeed({ description: fields });
  const networks = fields.keys().filter((key) => key !== 'seed' && key !== 'note');
  if (networks.length === 0) fields.fail('', 'names no network');
  for (const network of networks) {
    const described = fields.object(network);
    checkKeys(described, [...sizeKeys, ...tauNames]);
    yield* compareTaus(described, `${network}, `, seed, () => readSize(described));
  }
}

function* compareTaus(
  fields: Fields,
  prefix: string,
  seed: number,
  sizeOf: (digests: Digests, fields: Fields) => NetworkSize,
): Generator<Comparison> {
  const given = tauNames.filter((name) => fields.has(name));
  if (given.length === 0) fields.fail(tauNames.join('" or "'), 'is missing');
  for (const tau of given) {
    const digests = readDigests(fields.object(tau));
    const spec = buildNetwork({
      ...sizeOf(digests, fields.object(tau)),
      neuron: 'plif',
      tau: taus[tau],
      reset: { kind: 'hard', detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
    });
    const parameters = stateEntries(spec).filter(({ role }) => role === 'parameter');
    const names = [...new Set([...parameters.map(({ name }) => name), ...digests.keys()])];
    const state = initialState(spec, seed);
    const drawnNormally = new Set(
      tau === 'neuron_tau' ? spikingLayers(spec).map(({ name }) => `${name}.w`) : [],
    );
    yield compareDigests(
      `${prefix}${tau}`,
      names.filter((name) => !drawnNormally.has(name)),
      digests,
      state,
    );
    if (drawnNormally.size > 0)
      yield compareDigests(`${prefix}${tau}, w`, [...drawnNormally], digests, state, true);
  }
}

/**
 * Uniform numbers and constants must have the sha256. Normal ones that have it not may be another processor's: then their first values
 * are all that there is to compare, and `values` counts those only.
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
  const pairs: Pair[] = [];
  for (const name of names) {
    const digest = digests.get(name);
    const tensor = state.get(name);
    if (digest === undefined || tensor?.dtype !== 'F32') {
      reason ??=
        digest === undefined
          ? `"${name}" is missing`
          : `"${name}" is superfluous: the network has no such parameter`;
      continue;
    }
    if (digest.shape.join() !== tensor.shape.join()) {
      reason ??= `"${name}" is of shape ${describeShape(digest.shape)}, expected ${describeShape(tensor.shape)}`;
      continue;
    }
    const first = tensor.data.subarray(0, digest.first.length);
    pairs.push({ name, expected: listValues(digest.first), found: listValues(first) });
    const sha256 = hash(tensor.data);
    values += sha256 === digest.sha256 ? tensor.data.length : digest.first.length;
    if (sha256 !== digest.sha256 && !normal) {
      reason ??= `the sha256 of "${name}" is to be ${digest.sha256.slice(0, 12)}…, found ${sha256.slice(0, 12)}…`;
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
      checkKeys(entry, ['shape', 'first', 'sha256_f32le']);
      const first = entry.numbers('first');
      if (first.length === 0) entry.fail('first', 'is empty');
      return [
        name,
        {
          shape: entry.numbers('shape', { integer: true, min: 1 }),
          first,
          sha256: entry.text('sha256_f32le'),
        },
      ];
    }),
  );
}

/** The sizes of the thesis' network from the shapes of its weights: conv.<4i> are convolutions, fc.2 and fc.5 linear. */
function inferSize(digests: Digests, fields: Fields): NetworkSize {
  const shapeOf = (name: string, dimensions: number): readonly number[] => {
    const shape = digests.get(name)?.shape;
    if (shape?.length === dimensions) return shape;
    return fields.fail(name, `must be there with a shape of ${dimensions} numbers`);
  };
  const [channels = 0, inChannels = 0] = shapeOf('conv.0.weight', 4);
  const [hidden = 0, features = 0] = shapeOf('fc.2.weight', 2);
  const [outputs = 0] = shapeOf('fc.5.weight', 2);
  const layers = [...digests].filter(
    ([name, { shape }]) => /^conv\.\d+\.weight$/.test(name) && shape.length === 4,
  ).length;
  // Neurons with a τ of their own are as many as the frame has places; else what is left after the layers, each of which halves it, says.
  const side = Math.round(Math.sqrt(features / channels)) * 2 ** layers;
  const [, , height = side, width = side] = digests.get('conv.2.w')?.shape ?? [];
  return {
    input: [inChannels, height, width],
    channels,
    layers,
    hidden,
    classes: Math.max(1, Math.floor(outputs / votes)),
    votes,
  };
}
