import { expect, it } from 'vitest';
import { referenceOperations } from '../../src/engines/tfjs/reference-operations.ts';
import { indexFile } from '../../src/parity/folder.ts';
import { parseIndex } from '../../src/parity/index-file.ts';
import { listFailures } from './case-folders.ts';
import { goldenFolders, openGolden, runGolden } from './golden-folders.ts';

it.each(goldenFolders)('test/%s passes in every case that an engine computes', async (name) => {
  const folder = await openGolden(name);
  const { cases } = parseIndex(await folder.read(indexFile));
  const computed = [...cases].flatMap(([one, description]) =>
    /"kind":"(neuron|network)"/.test(JSON.stringify(description)) ? [one] : [],
  );
  expect(computed.length).toBeGreaterThan(10);
  const outcomes = await runGolden(folder, referenceOperations, computed);
  expect(listFailures(outcomes)).toEqual([]);
  expect(outcomes.map((outcome) => outcome.name)).toEqual(computed);
});
