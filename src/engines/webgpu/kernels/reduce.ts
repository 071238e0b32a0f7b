import { constants, defineKernel, entryPoint, type Kernel } from './kernel.ts';

/** As many threads for each column as there are parts, up to 8. */
const lanesOf = (parts: number): number => (parts >= 8 ? 8 : 1);

/** `sums[i] = Σ over parts of parts[part, i]`, in a fixed order. @param size of a part, a multiple of 32 */
export function reduceParts(parts: number, size: number): Kernel {
  const lanes = lanesOf(parts);
  return defineKernel(
    'sum of parts',
    () => Math.ceil((size * lanes) / 256),
    { parts: 'read f32', sums: 'write f32' },
    `${constants({ PARTS: parts, SIZE: size, COLUMNS: 256 / lanes, LANES: lanes })}
var<workgroup> lanes: array<f32, 256>;
${entryPoint('256')}
  let column = group * COLUMNS + thread % COLUMNS;
  var sum = 0.0;
  if (column < SIZE) {
    for (var part = thread / COLUMNS; part < PARTS; part += LANES) { sum += parts[part * SIZE + column]; }
  }
  lanes[thread] = sum;
  workgroupBarrier();
  if (thread >= COLUMNS || column >= SIZE) { return; }
  for (var lane = 1u; lane < LANES; lane++) { sum += lanes[lane * COLUMNS + thread]; }
  sums[column] = sum;
}
`,
  );
}
