import { readSafetensors } from '../../formats/safetensors.ts';
import { type Neurons, prepareNetwork } from '../../snn/forward.ts';
import { buildNetwork } from '../../snn/networks.ts';
import type { NetworkSpec } from '../../snn/spec.ts';
import { formatCount } from '../../text.ts';
import type { NetworkValues } from '../messages.ts';
import { stateOf, valuesOf } from '../network-values.ts';
import { unpack } from '../packing.ts';
import type { Payload } from '../payload.ts';
import type { TrainingPoint } from '../words.ts';

/** A network as the run trained it, or as it was trained on here. */
export interface Network extends NetworkValues {
  readonly model: number;
  readonly spec: NetworkSpec;
  /** Before the reader's edits. */
  readonly neurons: readonly Neurons[];
  /** How it was trained here; empty: not at all. */
  readonly history: readonly TrainingPoint[];
}

/** The networks of the page. */
export class Models {
  readonly #payload: Payload;
  readonly #ofRun = new Map<number, Network>();
  readonly #inUse = new Map<number, Network>();

  constructor(payload: Payload) {
    this.#payload = payload;
  }

  /** As the run trained it. @returns null if the reader must choose the file first */
  ofRun(model: number): Network | null {
    const { tensors } = this.#payload.models[model]!;
    if (!this.#ofRun.has(model) && tensors !== null)
      this.#ofRun.set(model, this.#prepare(model, Float32Array.from(unpack(tensors)), []));
    return this.#ofRun.get(model) ?? null;
  }

  /** As the reader trained it on. */
  inUse(model: number): Network | null {
    return this.#inUse.get(model) ?? this.ofRun(model);
  }

  /** Steps that the one in use was trained here. */
  stepsHere(model: number): number {
    return this.#inUse.get(model)?.history.at(-1)?.step ?? 0;
  }

  /** `Baseline`, or `Baseline, trained here for 20 steps`. */
  title(model: number): string {
    const { title } = this.#payload.models[model]!;
    const steps = this.stepsHere(model);
    return steps === 0 ? title : `${title}, trained here for ${formatCount(steps, 'step')}`;
  }

  replace(model: number, values: Float32Array, history: readonly TrainingPoint[]): void {
    this.#inUse.set(model, this.#prepare(model, values, history));
  }

  restore(model: number): void {
    this.#inUse.delete(model);
  }

  /** Takes a model's values from its `best.safetensors`. @throws {Error} that says what does not fit */
  async load(model: number, file: File): Promise<void> {
    const { tensors } = readSafetensors(new Uint8Array(await file.arrayBuffer()), file.name);
    const values = valuesOf(this.#payload.models[model]!.config, tensors);
    this.#ofRun.set(model, this.#prepare(model, values, []));
  }

  #prepare(model: number, values: Float32Array, history: readonly TrainingPoint[]): Network {
    const { config } = this.#payload.models[model]!;
    const spec = buildNetwork(config);
    const { neurons } = prepareNetwork(spec, stateOf({ config, values }));
    return { model, config, values, spec, neurons, history };
  }
}
