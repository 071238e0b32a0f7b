/*
 * A network as the Neuromorphic Intermediate Representation (NIR) describes it: nodes with parameters, and edges along which values flow.
 * See https://neuroir.org and Pedersen et al. 2024 (doi 10.1038/s41467-024-52259-9).
 */

/** A parameter; `shape` is [] for a single number. Whole numbers are far below 2²⁴, where singles have no fraction. */
export interface NirArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A parameter that is one number. */
export function nirNumber(value: number): NirArray {
  return { shape: [], data: Float32Array.of(value) };
}

type Kind = 'whole' | 'real' | 'hint';
const pool = { kernel_size: 'whole', stride: 'whole', padding: 'whole' } as const;
const leak = { r: 'real', v_leak: 'real' } as const;
const synapse = { tau_syn: 'real', tau_mem: 'real', w_in: 'real' } as const;
const fire = { v_threshold: 'real', v_reset: 'real' } as const;

/**
 * The nodes known here and their parameters. `hint`: what follows from the graph, written for other programs, never used.
 * Of neurons, τ is in the file's unit of time.
 */
export const nirParameters = {
  Input: { shape: 'whole' },
  Output: { shape: 'hint' },
  Conv2d: {
    ...{ input_shape: 'hint', weight: 'real', bias: 'real' },
    ...{ stride: 'whole', padding: 'whole', dilation: 'whole', groups: 'whole' },
  },
  Linear: { weight: 'real' },
  Affine: { weight: 'real', bias: 'real' },
  Scale: { scale: 'real' },
  Flatten: { input_type: 'hint', start_dim: 'hint', end_dim: 'hint' },
  SumPool2d: pool,
  AvgPool2d: pool,
  I: { r: 'real' },
  IF: { r: 'real', ...fire },
  LI: { tau: 'real', ...leak },
  LIF: { tau: 'real', ...leak, ...fire },
  CubaLI: { ...synapse, ...leak },
  CubaLIF: { ...synapse, ...leak, ...fire },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Kind>>>>;

export type NirType = keyof typeof nirParameters;

/** The nodes of these types: `{ type: 'Linear', weight }`. */
export type NirNodeOf<Type extends NirType> = {
  readonly [T in Type]: { readonly type: T } & {
    readonly [Name in keyof (typeof nirParameters)[T]]: NirArray;
  };
}[Type];
export type NirNode = NirNodeOf<NirType>;

export interface NirGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** Texts by name, free for any use. */
  readonly metadata: Readonly<Record<string, string>>;
}
