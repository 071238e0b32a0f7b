/** What one dispatch took, and what it does. */
export interface MeasuredPass {
  readonly kernel: string;
  /** Of which layer. */
  readonly label: string;
  readonly milliseconds: number;
  readonly flop: number;
  readonly bytes: number;
}

/** A training step, dispatch by dispatch, and the ceilings of the device. */
export interface Measured {
  readonly samples: number;
  readonly clock: 'timestamps' | 'each alone';
  /** Measured: operations a second in fused multiply-adds, and bytes a second in copying. */
  readonly flops: number;
  readonly bandwidth: number;
  readonly passes: readonly MeasuredPass[];
}

type Row = Omit<MeasuredPass, 'kernel' | 'label'> & {
  readonly name: string;
  /** Milliseconds at the ceilings, of arithmetic or of traffic, whichever takes longer, and as a share of what it took. */
  readonly least: number;
  readonly share: number;
  readonly bound: 'arithmetic' | 'memory';
};

/** Dispatches under one name added up, the longest first; by default all of them. */
export function rooflines(
  { passes, flops, bandwidth }: Measured,
  nameOf: (pass: MeasuredPass) => string = () => 'all',
): readonly [Row, ...Row[]] {
  const names = [...new Set(passes.map(nameOf))];
  const rows = names.map((name) => {
    const own = passes.filter((pass) => nameOf(pass) === name);
    const sum = (of: (pass: MeasuredPass) => number) => own.reduce((total, pass) => total + of(pass), 0);
    const [flop, bytes] = [sum((pass) => pass.flop), sum((pass) => pass.bytes)];
    const least = sum((pass) => 1e3 * Math.max(pass.flop / flops, pass.bytes / bandwidth));
    const milliseconds = sum((pass) => pass.milliseconds);
    const bound = flop / flops > bytes / bandwidth ? 'arithmetic' : 'memory';
    return { name, milliseconds, flop, bytes, least, share: least / milliseconds, bound } as const;
  });
  const [first, ...others] = rows.sort((one, other) => other.milliseconds - one.milliseconds);
  if (first === undefined) throw new Error('no dispatch was measured');
  return [first, ...others];
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
/** Three digits. */
export const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

export function table([header = [], ...rows]: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rooflineTable(took: number, rows: readonly Row[], first: string): string {
  return table([
    [first, 'ms', 'of the step', 'TFLOP/s', 'GB/s', 'limit', 'ms at the ceiling', 'of the ceiling'],
    ...rows.map(({ name, milliseconds, flop, bytes, least, share, bound }) => [
      ...[name, digits(milliseconds), percent(milliseconds / took)],
      ...[flop === 0 ? '–' : digits(flop / milliseconds / 1e9), digits(bytes / milliseconds / 1e6)],
      ...[bound, digits(least), percent(share)],
    ]),
  ]);
}

/** Ceilings, kernels, and what is long of each layer. */
export function describeKernels(measured: Measured): string {
  const { flops, bandwidth, clock, samples } = measured;
  const [{ milliseconds: took, least, share }] = rooflines(measured);
  const kernels = rooflines(measured, ({ kernel }) => kernel);
  const layers = rooflines(measured, ({ kernel, label }) => `${kernel}, ${label}`);
  const long = layers.filter(({ milliseconds }) => milliseconds >= 0.005 * took);
  const how =
    clock === 'timestamps'
      ? 'Timed by the GPU’s own timestamps, for each dispatch of whole training steps'
      : 'The device has no `timestamp-query`: each dispatch was run alone, many times one after the other, and timed by the CPU’s clock';
  return `Ceilings, measured by simple kernels on this device: **${digits(flops / 1e12)} TFLOP/s** of fused multiply-adds, **${digits(bandwidth / 1e9)} GB/s** copied (read and
written). A training step of ${samples} clips takes ${digits(took)} ms in kernels. At the ceilings it would take ${digits(least)} ms: of each dispatch, arithmetic or traffic,
whichever takes longer. So it reaches **${percent(share)} of the ceilings**.

${how}; the shortest of 4 counts. Operations of small kernels are not counted (–). What stays
in the device’s caches may exceed the ceiling of memory.

${rooflineTable(took, kernels, 'kernel')}

<details><summary>By layer, from 0.5 % of the step on</summary>

${rooflineTable(took, long, 'kernel, layer')}

</details>`;
}

/** The three kernels that cost most, and which of them is furthest from its roofline. */
export function describeNext(measured: Measured): string {
  const [{ milliseconds: took }] = rooflines(measured);
  const most = rooflines(measured, ({ kernel }) => kernel).slice(0, 3);
  const { name, share, bound, milliseconds, least } = most.reduce((a, b) => (b.share < a.share ? b : a));
  const passes = measured.passes.filter(({ kernel }) => kernel === name);
  const layers = rooflines({ ...measured, passes }, ({ label }) => label);
  return `The three kernels that cost most, of ${digits(took)} ms for a training step of ${measured.samples} clips:

${rooflineTable(took, most, 'kernel')}

Furthest from its roofline is **${name}**, at ${percent(share)} of the ceiling of ${bound}: if it reached it, a step
would take ${digits(took - milliseconds + least)} ms. By layer:

${rooflineTable(took, layers, 'layer')}`;
}
