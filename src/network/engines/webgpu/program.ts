import type { Kernel } from './kernels/kernel.ts';

/** Named tensors of a network lie one behind the other in buffers of these. */
export type Arena = 'values' | 'gradients' | 'first' | 'second' | 'running';

/** Where a buffer of a pass is. `values` of 4 bytes that the pass uses of it, for each sample unless `fixed`; the space may be larger. */
export type Space =
  /** A part of an arena; offset and size in values. */
  | { readonly kind: 'arena'; readonly arena: Arena; readonly offset: number; readonly size: number }
  /** The same for all slices, whatever the number of samples. */
  | { readonly kind: 'fixed'; readonly name: string; readonly values: number }
  /** Grows with the samples; every slice has its own. */
  | { readonly kind: 'kept'; readonly name: string; readonly values: number }
  /** Grows with the samples, but is needed for one slice at a time. */
  | { readonly kind: 'scratch'; readonly name: string; readonly values: number };

/** One dispatch. */
export interface Pass {
  readonly kernel: Kernel;
  /** Of which layer. */
  readonly label: string;
  /** By the names of the kernel's bindings. */
  readonly buffers: Readonly<Record<string, Space>>;
}

/** Passes that are run for the whole batch at once, or one after the other for each slice of it. */
export interface Phase {
  readonly each: 'batch' | 'slice';
  readonly passes: Pass[];
}

/** What a batch does, as data. */
export class Program {
  readonly phases: Phase[] = [];
  /** Bytes by name: of `fixed` spaces in all, of the others for each sample. */
  readonly bytes = new Map<string, number>();
  readonly kinds = new Map<string, 'fixed' | 'kept' | 'scratch'>();

  /** Adds a pass to the last phase, or begins another. @param given may have more buffers than the kernel binds */
  add(each: Phase['each'], label: string, kernel: Kernel, given: Pass['buffers']): void {
    const buffers: Record<string, Space> = {};
    for (const name of Object.keys(kernel.bindings)) {
      const space = given[name];
      if (space === undefined) throw new Error(`${label}: ${kernel.name} has no buffer for ${name}`);
      buffers[name] = space;
    }
    const pass = { kernel, label, buffers };
    const last = this.phases.at(-1);
    if (last?.each === each) last.passes.push(pass);
    else this.phases.push({ each, passes: [pass] });
  }

  /** Values of 4 bytes, for each sample unless `fixed`. The same name twice is the same space, as large as the larger. */
  space(kind: 'fixed' | 'kept' | 'scratch', name: string, values: number): Space {
    this.kinds.set(name, kind);
    this.bytes.set(name, Math.max(this.bytes.get(name) ?? 0, 4 * values));
    return { kind, name, values };
  }

  /** The largest space that is the same for any number of samples, and the largest that grows with them, for each sample. */
  largestSpaces(): Record<'shared' | 'ofSample', { readonly name: string; readonly bytes: number }> {
    const largest = { shared: { name: '', bytes: 0 }, ofSample: { name: '', bytes: 0 } };
    for (const [name, bytes] of this.bytes) {
      const which = this.kinds.get(name) === 'fixed' ? 'shared' : 'ofSample';
      if (bytes > largest[which].bytes) largest[which] = { name, bytes };
    }
    return largest;
  }

  /** The memory for a batch, in bytes. */
  countBytes(samples: number, sliceSamples: number): number {
    let sum = 0;
    for (const [name, bytes] of this.bytes) {
      const kind = this.kinds.get(name);
      sum += bytes * (kind === 'fixed' ? 1 : kind === 'kept' ? samples : Math.min(samples, sliceSamples));
    }
    return sum;
  }
}
