import { type NetworkSpec, stateEntries } from '../../spec.ts';
import type { NetworkBlock } from './blocks.ts';
import { countLogits, logitRows } from './kernels/current.ts';
import { padded } from './kernels/kernel.ts';
import type { Space } from './program.ts';

/** Of a named tensor: where each of its values, in PyTorch's order, lies in its arena. */
interface Layout {
  readonly arena: 'values' | 'running';
  readonly count: number;
  /** All places are in [from, to). */
  readonly from: number;
  readonly to: number;
  /** The place of value i. */
  readonly place: (i: number) => number;
}

/** A region of an arena, in values. */
interface Region {
  readonly offset: number;
  readonly size: number;
}

/** Bindings begin at multiples of 256 bytes. */
const ALIGNMENT = 64;

/**
 * Where parameters and running statistics lie. Channels are innermost and padded, as in activations:
 * weights are [k², in, out], and so recurrent ones [from, to], those of frames [in, k², out], w per channel [CP] and per neuron [pixels, CP]; a batch norm's weight and bias follow each other, and so do w and α of a layer.
 */
export class ParameterMap {
  readonly #layouts = new Map<string, Layout>();
  readonly #regions = new Map<string, Region>();
  readonly #sizes = { values: 0, running: 0 };
  /** Where each layer's w lies in `values`. */
  readonly taus: Region[] = [];

  constructor(spec: NetworkSpec, blocks: readonly NetworkBlock[]) {
    for (const block of blocks) {
      const { product, norm, neuron, fired, name } = block;
      const [inSize, kernel] =
        product.kind === 'conv' ? [product.inChannels, product.kernel] : [product.inFeatures, 1];
      const outSize = product.kind === 'conv' ? product.outChannels : product.outFeatures;
      const [inPadded, outPadded] = [block.isRecomputed ? inSize : padded(inSize), padded(outSize)];
      const taps = kernel * kernel;
      const weight = this.#reserve(`${name}.weight`, 'values', taps * inPadded * outPadded);
      this.#add(`${name}.weight`, 'values', outSize * inSize * taps, (i) => {
        const [out, channel, tap] = [Math.floor(i / taps / inSize), Math.floor(i / taps) % inSize, i % taps];
        const row = block.isRecomputed ? channel * taps + tap : tap * inPadded + channel;
        return weight.offset + row * outPadded + out;
      });
      if (norm !== undefined) {
        const cp = padded(norm.channels);
        for (const [arena, names] of [
          ['values', ['weight', 'bias']],
          ['running', ['running_mean', 'running_var']],
        ] as const) {
          const { offset } = this.#reserve(`${norm.name}.${names[0]}`, arena, 2 * cp);
          names.forEach((key, row) => {
            this.#add(`${norm.name}.${key}`, arena, norm.channels, (i) => offset + row * cp + i);
          });
        }
      }
      const { surrogate } = neuron.neuron;
      const [pixels, cp] = [fired.height * fired.width, padded(fired.channels)];
      const logits = countLogits(neuron.neuron, pixels, cp);
      const { offset } = this.#reserve(`${neuron.name}.w`, 'values', logits + (surrogate.learnable ? 1 : 0));
      if (logits > 0) {
        const rows = logitRows(neuron.neuron, pixels);
        this.taus.push({ offset, size: logits });
        this.#add(`${neuron.name}.w`, 'values', rows * fired.channels || 1, (i) =>
          rows === 0 ? offset : offset + (i % rows) * cp + Math.floor(i / rows),
        );
      }
      if (surrogate.learnable)
        this.#add(`${neuron.name}.surrogate_function.alpha`, 'values', 1, () => offset + logits);
      if (neuron.recurrent === true) {
        const name = `${neuron.name}.recurrent.weight`;
        const { channels } = fired;
        const region = this.#reserve(name, 'values', cp * cp);
        this.#add(name, 'values', channels ** 2, (i) => {
          return region.offset + (i % channels) * cp + Math.floor(i / channels);
        });
      }
    }
    const unknown = stateEntries(spec).find(({ name, dtype }) => dtype === 'F32' && !this.#layouts.has(name));
    if (unknown !== undefined) throw new Error(`${unknown.name} has no place`);
  }

  /** Values in an arena; gradients and moments are laid out like `values`. */
  get sizes(): { readonly values: number; readonly running: number } {
    return {
      values: Math.max(ALIGNMENT, this.#sizes.values),
      running: Math.max(ALIGNMENT, this.#sizes.running),
    };
  }

  layoutOf(name: string): Layout {
    const layout = this.#layouts.get(name);
    if (layout === undefined) throw new Error(`the network has no tensor ${name}`);
    return layout;
  }

  /** The region that begins with this tensor, in `values` and what is laid out like it, or in `running`. */
  space(name: string, arena: 'values' | 'gradients' | 'running'): Space {
    const region = this.#regions.get(name);
    if (region === undefined) throw new Error(`the network has no tensor ${name}`);
    return { kind: 'arena', arena, ...region };
  }

  #reserve(name: string, arena: 'values' | 'running', size: number): Region {
    const region = { offset: this.#sizes[arena], size };
    this.#regions.set(name, region);
    this.#sizes[arena] += ALIGNMENT * Math.ceil(size / ALIGNMENT);
    return region;
  }

  #add(name: string, arena: 'values' | 'running', count: number, place: Layout['place']): void {
    // Places grow with each of a tensor's indices, so the first and the last value have the first and the last.
    this.#layouts.set(name, { arena, count, from: place(0), to: place(count - 1) + 1, place });
  }
}
