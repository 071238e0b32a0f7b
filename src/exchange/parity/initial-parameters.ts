import * as v from 'valibot';
import { hashText } from '../../base/files/canonical-json.ts';
import { checkShape, count, numbers, positive, type Value } from '../../base/files/shape.ts';
import type { State } from '../../formats/tensor.ts';
import { initialState } from '../../network/initialise.ts';
import { buildNetwork } from '../../network/networks.ts';
import { spikingLayers, stateEntries, type TauSpec } from '../../network/spec.ts';
import { TorchRandom } from '../../network/torch-random.ts';
import { AUGMENTATIONS } from '../../results/clip-index.ts';
import { countDraws } from '../../training/image-source.ts';
import { type Comparison, compare, describeShape, type TensorPair, toValues } from './compare.ts';
import { caseIndex, remark } from './given-case.ts';
import { type NetworkSize, networkSizeOf, sizeShape, votes } from './network.ts';
import { roundings } from './tolerances.ts';

/** What index.json says about a tensor that is too large to store. */
const digestShape = v.strictObject({
  shape: v.array(positive),
  /** The first values, in C order. */
  first: v.pipe(numbers, v.minLength(1, 'at least one number')),
  /** The hash of all values as little-endian single-precision numbers. */
  sha256_f32le: v.string(),
});
/** By the parameter's name. */
const digestsShape = v.record(v.string(), digestShape);
type Digests = Value<typeof digestsShape>;

/** How τ starts, by key: per layer, or per neuron with the standard deviation of the thesis or with none. */
const taus = {
  layer_tau: { per: 'layer', mean: 2, std: 0 },
  neuron_tau: { per: 'neuron', mean: 2, std: 0.1 },
  neuron_tau_std_0: { per: 'neuron', mean: 2, std: 0 },
} as const satisfies Readonly<Record<string, TauSpec>>;
type TauKey = keyof typeof taus;
const tauKeys = Object.keys(taus) as TauKey[];

const digestsOrNone = v.exactOptional(digestsShape);
const givenTaus = { layer_tau: digestsOrNone, neuron_tau: digestsOrNone, neuron_tau_std_0: digestsOrNone };
const thesisShape = v.strictObject({ seed: count, note: remark, ...givenTaus });
const namedShape = v.objectWithRest(
  { seed: count, note: remark },
  v.strictObject({
    ...sizeShape.entries,
    images: v.optional(count, 0),
    augmentation: v.optional(v.picklist(AUGMENTATIONS), 'none'),
    ...givenTaus,
  }),
);

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
  const { seed, ...given } = checkShape(thesisShape, value, caseIndex, name);
  yield* compareTaus(given, '', seed, thesisSize);
}

/** `initial_parameters` in index.json: networks by name, each with its description. */
export function* compareNamedParameters(name: string, value: unknown): Generator<Comparison> {
  const { seed, note: _, ...networks } = checkShape(namedShape, value, caseIndex, name);
  for (const [network, described] of Object.entries(networks)) {
    const draws = described.images * countDraws(described.augmentation);
    yield* compareTaus(described, `${network}, `, seed, networkSizeOf(described), draws);
  }
}

/** @param draws random numbers that the images of an epoch take before the network does */
function* compareTaus(
  given: { readonly [Key in TauKey]?: Digests },
  prefix: string,
  seed: number,
  size: NetworkSize,
  draws = 0,
): Generator<Comparison> {
  for (const name of tauKeys) {
    const digests = given[name];
    if (digests === undefined) continue;
    const tau: TauSpec = taus[name];
    const spec = buildNetwork({
      ...size,
      neuron: 'plif',
      tau,
      reset: { kind: 'hard', detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
    });
    const parameters = stateEntries(spec).filter(({ role }) => role === 'parameter');
    const names = [...new Set([...parameters.map(({ name }) => name), ...Object.keys(digests)])];
    const random = new TorchRandom(seed);
    random.skip(draws);
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
    const digest = digests[name];
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
    const terms = normal ? roundings.normal : 0;
    pairs.push({ name, expected: toValues(digest.first), found: toValues(first), terms, scale: 1 });
    const { buffer, byteOffset, byteLength } = tensor.data;
    const sha256 = hashText(new Uint8Array(buffer, byteOffset, byteLength));
    values += sha256 === digest.sha256_f32le ? tensor.data.length : digest.first.length;
    if (sha256 !== digest.sha256_f32le && !normal) {
      reason ??= `"${name}": the folder has sha256 ${digest.sha256_f32le.slice(0, 12)}…, this program computes ${sha256.slice(0, 12)}…`;
    }
  }
  const comparison = compare(what, pairs);
  reason ??= comparison.reason;
  return { ...comparison, values, reason, passed: comparison.passed && reason === null };
}
