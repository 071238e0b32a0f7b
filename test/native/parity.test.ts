import { describe, expect, test } from 'vitest';
import { listFailures } from '../parity/case-folders.ts';
import { goldenFolders, kindsOf, openGolden, runGolden } from '../parity/golden-folders.ts';
import { allSets, instructionSets, nativeEngine } from './support.ts';

const tilesOfSets = [
  ...allSets.map((name) => [name, '2x2'] as const),
  ...instructionSets.slice(-1).map((name) => [name, '4x4'] as const),
];

describe.each(tilesOfSets)('the native engine on %s with %s tiles', (instructionSet, tiles) => {
  test.each(goldenFolders)('passes every case that an engine computes in test/%s', async (name) => {
    const folder = await openGolden(name);
    const computed = [...(await kindsOf(folder))].flatMap(([one, kind]) =>
      ['neuron', 'network'].includes(kind) ? [one] : [],
    );
    expect(computed.length).toBeGreaterThan(10);
    const outcomes = await runGolden(folder, nativeEngine(instructionSet, 2, tiles), computed);
    expect(listFailures(outcomes)).toEqual([]);
    expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
  });
});
