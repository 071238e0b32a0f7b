import { expect, it } from 'vitest';
import { createCpuEngine } from '../../src/engines/tfjs/engine.ts';
import { listFailures } from './case-folders.ts';
import { goldenFolders, kindsOf, openGolden, runGolden } from './golden-folders.ts';

it.each(goldenFolders)('test/%s passes in every case that an engine computes', async (name) => {
  const folder = await openGolden(name);
  const computed = [...(await kindsOf(folder))].flatMap(([one, kind]) =>
    ['neuron', 'network'].includes(kind) ? [one] : [],
  );
  const outcomes = await runGolden(folder, createCpuEngine('test'), computed);
  expect(listFailures(outcomes)).toEqual([]);
  expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
});
