import { readSafetensors } from '../../formats/safetensors.ts';
import { type Neurons, prepareNetwork } from '../../snn/forward.ts';
import { buildNetwork } from '../../snn/networks.ts';
import type { NetworkSpec } from '../../snn/spec.ts';
import { formatCount } from '../../text.ts';
import { stateOf, valuesOf } from '../network-values.ts';
import { unpack } from '../packing.ts';
import type { Payload } from '../payload.ts';
import type { PageWorker } from './page-worker.ts';

/** `in-use`: as the reader trained it on; the same as `trained` otherwise. */
export type Version = 'in-use' | 'trained';

/** The networks of the page, here and in the thread. */
export class Models {
  readonly #payload: Payload;
  readonly #worker: PageWorker;
  readonly #specs: readonly NetworkSpec[];
  readonly #trained = new Map<number, Float32Array>();
  readonly #replaced = new Map<number, { readonly values: Float32Array; readonly steps: number }>();
  readonly #sent = new Map<string, Float32Array>();
  readonly #neurons = new WeakMap<Float32Array, readonly Neurons[]>();

  constructor(payload: Payload, worker: PageWorker) {
    this.#payload = payload;
    this.#worker = worker;
    this.#specs = payload.models.map(({ config }) => buildNetwork(config));
  }

  spec(model: number): NetworkSpec {
    return this.#specs[model]!;
  }

  /** How many neurons vote for a class. */
  group(model: number): number {
    return this.spec(model).layers.find((layer) => layer.kind === 'vote')?.group ?? 1;
  }

  /** @returns null if the reader must choose the file first */
  values(model: number, version: Version): Float32Array | null {
    const replaced = version === 'in-use' ? this.#replaced.get(model)?.values : undefined;
    const { tensors } = this.#payload.models[model]!;
    if (!this.#trained.has(model) && tensors !== null) {
      const values = unpack(tensors);
      if (values instanceof Float32Array) this.#trained.set(model, values);
    }
    return replaced ?? this.#trained.get(model) ?? null;
  }

  isReplaced(model: number): boolean {
    return this.#replaced.has(model);
  }

  /** @param steps how many it was trained here, in all */
  replace(model: number, values: Float32Array, steps: number): void {
    this.#replaced.set(model, { values, steps });
  }

  restore(model: number): void {
    this.#replaced.delete(model);
  }

  /** `Baseline`, or `Baseline, trained here for 20 steps`. */
  title(model: number): string {
    const { title } = this.#payload.models[model]!;
    const replaced = this.#replaced.get(model);
    return replaced === undefined
      ? title
      : `${title}, trained here for ${formatCount(replaced.steps, 'step')}`;
  }

  /** Takes a model's values from its `best.safetensors`. @throws {Error} that says what does not fit */
  async load(model: number, file: File): Promise<void> {
    const { tensors } = readSafetensors(new Uint8Array(await file.arrayBuffer()), file.name);
    this.#trained.set(model, valuesOf(this.#payload.models[model]!.config, tensors));
  }

  /** Its neurons, before the reader's edits. */
  neurons(model: number, version: Version): readonly Neurons[] {
    const values = this.require(model, version);
    const known = this.#neurons.get(values);
    if (known !== undefined) return known;
    const { config } = this.#payload.models[model]!;
    const { neurons } = prepareNetwork(this.spec(model), stateOf({ config, values }));
    this.#neurons.set(values, neurons);
    return neurons;
  }

  /** Sends a network to the thread, unless it is there. @returns its key */
  async send(model: number, version: Version): Promise<string> {
    const values = this.require(model, version);
    const key = `${this.isReplaced(model) ? version : 'trained'} ${model}`;
    if (this.#sent.get(key) !== values) {
      const { config } = this.#payload.models[model]!;
      await this.#worker.ask({ kind: 'network', key, network: { config, values } });
      this.#sent.set(key, values);
    }
    return key;
  }

  /** @throws {Error} if the reader must choose the file first */
  require(model: number, version: Version): Float32Array {
    const values = this.values(model, version);
    if (values === null) throw new Error(`${this.#payload.models[model]!.title}: choose its file first.`);
    return values;
  }
}
