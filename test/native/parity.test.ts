import { describe, expect, test } from 'vitest';
import { listFailures, runFolder } from '../exchange/parity/case-folders.ts';
import { goldenFolders, listComputed, openGolden } from '../exchange/parity/golden-folders.ts';
import { instructionSets, nativeEngine } from './support.ts';

// WebAssembly and TensorFlow.js are in test/exchange/parity/golden.test.ts, with all the other cases.
describe.each([
  ...instructionSets.map((name) => [`the native engine on ${name}`, nativeEngine(name)] as const),
  ...instructionSets
    .slice(-1)
    .map((name) => ['the native engine with 4 x 4 tiles', nativeEngine(name, 2, '4x4')] as const),
])('%s', (_, engine) => {
  test.each(goldenFolders)('passes every case that an engine computes in test/%s', async (name) => {
    const folder = await openGolden(name);
    const computed = await listComputed(folder);
    expect(computed.length).toBeGreaterThan(10);
    const outcomes = await runFolder(folder, computed, engine);
    expect(listFailures(outcomes)).toEqual([]);
    expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
  });
});
