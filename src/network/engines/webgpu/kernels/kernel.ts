/** What a storage buffer holds, and whether the kernel writes it. */
export type Binding = `${'read' | 'write'} ${'f32' | 'u32' | 'vec2f' | 'vec4f' | 'atomic<u32>'}`;

/** A WGSL program whose entry point is `main`. It depends on nothing but its text, so equal texts share a pipeline. */
export interface Kernel {
  readonly name: string;
  readonly code: string;
  /** Storage buffers by name, in the order of `@binding`, from 1. Binding 0 is the uniform `batch`. */
  readonly bindings: Readonly<Record<string, Binding>>;
  /** How many workgroups compute so many samples. */
  readonly groups: (samples: number) => number;
  /** Floating-point operations for each sample, of products and sweeps over neurons. */
  readonly flop: number;
}

/*
 * Activations are [samples, T, pixels, channels]: channels innermost, in blocks of 32, so that 32 neighbouring threads read neighbouring
 * values, and the spikes of a block fill one word. Channels beyond the last hold zeros. `CP` is the padded number of channels.
 * Work is divided into equal groups; a device allows 65,535 of them in one direction, so they are laid out in two.
 */
const prelude = `
struct Batch {
  samples: u32,      // of this slice
  total: u32,        // of the whole batch
  slice: u32,        // 0 for the first: what is added up over slices begins there
  stepSize: f32,     // Adam: learning rate / (1 - beta1^t)
  correction: f32,   // Adam: sqrt(1 - beta2^t)
}
@group(0) @binding(0) var<uniform> batch: Batch;
`;

/**
 * Begins the entry point, for groups of so many threads. The body sees the number of its group as `group`, its thread's place in it as `local`
 * and, in one number, as `thread`.
 */
export const entryPoint = (threads: string): string => `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32,
) {
  let group = workgroup.y * workgroups.x + workgroup.x;`;

/** @param body WGSL with an entry point that begins with `entryPoint`, in which the storage buffers have their names in `bindings` */
export function defineKernel(
  name: string,
  groups: Kernel['groups'],
  bindings: Kernel['bindings'],
  body: string,
  flop = 0,
): Kernel {
  const declarations = Object.entries(bindings).map(([buffer, binding], i) => {
    const [access, type] = binding.split(' ');
    return `@group(0) @binding(${i + 1}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${buffer}: array<${type}>;\n`;
  });
  return { name, groups, bindings, flop, code: `${prelude}${declarations.join('')}${body}` };
}

/** Declares constants: `const PIXELS = 64u;`, and those of `floats` as f32. */
export function constants(
  whole: Readonly<Record<string, number>>,
  floats: Readonly<Record<string, number>> = {},
): string {
  const lines = [
    ...Object.entries(whole).map(([name, value]) => `const ${name} = ${value}u;`),
    ...Object.entries(floats).map(([name, value]) => `const ${name} = ${formatFloat(value)};`),
  ];
  return `${lines.join('\n')}\n`;
}

/** As an f32 literal of WGSL. */
export function formatFloat(value: number): string {
  return `f32(${Math.fround(value)})`;
}

/** Channels, or features, are kept in blocks of 32. */
export const padded = (channels: number): number => 32 * Math.ceil(channels / 32);
