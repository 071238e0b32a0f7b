import { constants, defineKernel, type Kernel, main } from './kernel.ts';

/** 32 columns in a group; 8 threads add up each. */
export const reduceGroups = (size: number): number => size / 32;

/** `sums[i] = Σ over parts of parts[part, i]`, in a fixed order. @param size of a part, a multiple of 32 */
export function reduceParts(parts: number, size: number): Kernel {
  return defineKernel(
    'sum of parts',
    { parts: 'read f32', sums: 'write f32' },
    `${constants({ PARTS: parts, SIZE: size })}
var<workgroup> lanes: array<f32, 256>;
${main('32, 8')}
  if (group >= SIZE / 32u) { return; }
  let column = group * 32u + local.x;
  var sum = 0.0;
  for (var part = local.y; part < PARTS; part += 8u) { sum += parts[part * SIZE + column]; }
  lanes[thread] = sum;
  workgroupBarrier();
  if (local.y > 0u) { return; }
  for (var lane = 1u; lane < 8u; lane++) { sum += lanes[lane * 32u + local.x]; }
  sums[column] = sum;
}
`,
  );
}
