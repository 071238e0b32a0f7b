import { describe, expect, test } from 'vitest';
import { listFailures, runFolder } from '../parity/case-folders.ts';
import { goldenFolders, kindsOf, openGolden } from '../parity/golden-folders.ts';
import { device, webgpuEngine } from './support.ts';

describe.skipIf(device === undefined)('the WebGPU engine', () => {
  test.each(goldenFolders)('passes every case that an engine computes in test/%s', async (name) => {
    const folder = await openGolden(name);
    const kinds = [...(await kindsOf(folder))];
    const computed = kinds.flatMap(([one, kind]) => (['neuron', 'network'].includes(kind) ? [one] : []));
    expect(computed.length).toBeGreaterThan(10);
    const outcomes = await runFolder(folder, computed, webgpuEngine());
    // A spike at the threshold may differ from one device to the next; on this one none does, so the tolerances are those of all engines.
    expect(listFailures(outcomes)).toEqual([]);
    expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
  }, 300_000);
});
