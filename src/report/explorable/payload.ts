import { deflateSync, inflateSync, strFromU8, strToU8 } from 'fflate';
import type { FrameLayout, FrameSize } from '../../data/events/frames.ts';
import type { ReaderSettings } from '../../data/events/readers.ts';
import type { Tensor } from '../../formats/tensor.ts';
import type { NetworkConfig } from '../../network/networks.ts';

/** What the report stage embeds in explore.html: the networks, some clips, and what is known of both. */
export interface Payload {
  /** Its title: `DVS128 Gesture`. */
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  readonly frames: FrameSetting;
  readonly models: readonly EmbeddedModel[];
  readonly clips: readonly EmbeddedClip[];
  /** How the run trained, for training in the page. */
  readonly training: TrainingSetting;
}

/** How a recording becomes frames, so that the page can do the same with others; their size, of which each has two planes, OFF and ON. */
export type FrameSetting = Omit<FrameLayout, 'sensor'> & FrameSize & ReaderSettings;

/** The frames of one clip, [T, 2, H, W]. */
export type EmbeddedFrames = Uint8Array | Uint16Array | Float32Array;

export interface EmbeddedModel {
  readonly id: string;
  readonly title: string;
  readonly seed: number;
  /** A colour of the report's palette, such as `blue`. */
  readonly color: string;
  readonly config: NetworkConfig;
  /** Of the test clips in the evaluation, all of them. */
  readonly test: { readonly correct: number; readonly clips: number };
  /** The order of frames that it was trained and tested with, instead of the recorded one. */
  readonly frameOrder?: 'shuffled' | 'mean' | undefined;
  /** λ; with a list, one for each spiking layer. */
  readonly regulariseTau: number | readonly number[];
  /** The bytes of its `best.safetensors`, without the tensors in `rounded`; null if they would make the page too large. */
  readonly file: Packed | null;
  /** Of a network that fits only with rounded weights: those of convolutions and linear layers. */
  readonly rounded: readonly RoundedTensor[];
}

/** A tensor in 8 bits: its values are `(byte − 128) · scale`. */
interface RoundedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly data: Packed;
}

export interface EmbeddedClip {
  /** `test-17`: split and row in the frame cache. */
  readonly id: string;
  readonly split: 'train' | 'test';
  /** `example`: the first of its class; `disagreement`: models answer differently; the others are only for training in the page. */
  readonly role: 'example' | 'disagreement' | 'training' | 'held-out';
  readonly class: number;
  /** The class that each model took it for in the evaluation, in their order; empty for training clips. */
  readonly answers: readonly number[];
  readonly frames: Packed;
}

export interface TrainingSetting {
  readonly batchSize: number;
  readonly learningRate: number;
  readonly tauRate: number;
  readonly regularise: 'w' | 'tau';
  readonly loss: 'rate' | 'step';
}

/** An array, deflated (RFC 1951), in base64; little-endian. */
export interface Packed {
  readonly type: 'uint8' | 'uint16' | 'float32';
  readonly data: string;
}

/** Deflates an array; the same bytes with every version of Node, since fflate is plain JavaScript. */
export function pack(array: EmbeddedFrames): Packed {
  const bytes = deflateSync(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), { level: 9 });
  const type = array instanceof Uint8Array ? 'uint8' : array instanceof Uint16Array ? 'uint16' : 'float32';
  return { type, data: btoa(strFromU8(bytes, true)) };
}

export function unpack({ type, data }: Packed): EmbeddedFrames {
  const { buffer } = inflateSync(strToU8(atob(data), true)).slice();
  if (type === 'uint8') return new Uint8Array(buffer);
  return type === 'uint16' ? new Uint16Array(buffer) : new Float32Array(buffer);
}

/** Weights of convolutions and linear layers are most of a network, and bear rounding; τ and batch norm stay as they are. */
export function isRounded(name: string, { shape }: Tensor): boolean {
  return name.endsWith('.weight') && shape.length > 1;
}

export function roundTensor(name: string, { shape, data }: Tensor): RoundedTensor {
  const values = Float64Array.from(data, Number);
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1;
  return {
    name,
    shape,
    scale,
    data: pack(Uint8Array.from(values, (value) => 128 + Math.round(value / scale))),
  };
}

export function restoreTensor({ shape, scale, data }: RoundedTensor): Tensor {
  return { dtype: 'F32', shape, data: Float32Array.from(unpack(data), (byte) => (byte - 128) * scale) };
}
