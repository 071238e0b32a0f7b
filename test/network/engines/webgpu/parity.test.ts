import { describe, expect, test } from 'vitest';
import { listFailures, runFolder } from '../../../exchange/parity/case-folders.ts';
import { goldenFolders, kindsOf, openGolden } from '../../../exchange/parity/golden-folders.ts';
import { hasDevice, webgpuEngine } from './support.ts';

const computed = await Promise.all(
  goldenFolders.map(async (name) => {
    const folder = await openGolden(name);
    const kinds = [...(await kindsOf(folder))];
    const ofKind = (wanted: string) => kinds.flatMap(([one, kind]) => (kind === wanted ? [one] : []));
    return { name, folder, neurons: ofKind('neuron'), networks: ofKind('network') };
  }),
);

// No spike differs on the software device, so the suite's tolerances hold as they are. docs/parity.md says where one may on another GPU.
describe.skipIf(!hasDevice).each(computed)(
  'the WebGPU engine passes, of test/$name,',
  ({ folder, neurons, networks }) => {
    const expectToPass = async (cases: readonly string[]) => {
      const outcomes = await runFolder(folder, cases, webgpuEngine());
      expect(listFailures(outcomes)).toEqual([]);
      expect(outcomes.map((outcome) => outcome.name)).toEqual(cases);
    };

    test('every case of neurons', () => expectToPass(neurons));

    test.each(networks)('the network %s', (name) => expectToPass([name]));
  },
);
