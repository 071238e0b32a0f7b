import { describe, expect, test } from 'vitest';
import { listFailures, runFolder } from '../exchange/parity/case-folders.ts';
import { goldenFolders, listComputed, openGolden } from '../exchange/parity/golden-folders.ts';
import { instructionSets, isAvailable, nativeEngine } from './support.ts';

// WebAssembly and TensorFlow.js are in test/exchange/parity/golden.test.ts, with all the other cases.
describe.skipIf(!isAvailable).each([...instructionSets, '4 x 4 tiles'])('the native engine on %s', (name) => {
  test.each(goldenFolders)('passes every case that an engine computes in test/%s', async (path) => {
    const engine = name === '4 x 4 tiles' ? nativeEngine(undefined, 2, '4x4') : nativeEngine(name);
    const folder = await openGolden(path);
    const computed = await listComputed(folder);
    expect(computed.length).toBeGreaterThan(10);
    const outcomes = await runFolder(folder, computed, engine);
    expect(listFailures(outcomes)).toEqual([]);
    expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
  });
});
