import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoints/loaded-checkpoint.ts';
import { encodeMetadata } from '../../src/checkpoints/self-description.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';
import { torchFixture, torchFixturePath } from '../support/torch-file.ts';

/** The first Python that has PyTorch: Debian's own may be behind another on PATH. */
const python = ['python3', '/usr/bin/python3'].find(
  (one) => spawnSync(one, ['-c', 'import torch']).status === 0,
);

/** The two functions of docs/checkpoints.md, as they stand there. */
function documentedFunctions(): string {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/checkpoints.md'), 'utf8');
  const blocks = [...page.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  const wanted = blocks.filter((code) => code.includes('\ndef '));
  expect(wanted).toHaveLength(2);
  return wanted.join('\n');
}

const folder = sharedTemporaryFolder();

describe.skipIf(python === undefined)('the forward pass in docs/checkpoints.md', () => {
  test.each(['baseline', 'per-neuron', 'lif', 'learnable-alpha'])(
    'gives the rates that PyTorch gave for %s, from an exported state',
    async (name) => {
      const { state, network, trainedOn, source } = await loadCheckpoint(torchFixturePath(`${name}.pt`));
      if (network === null) throw new Error('the network is known');
      const exported = path.join(folder, `${name}.safetensors`);
      const metadata = encodeMetadata({ network, trainedOn, source, assumed: [] });
      writeFileSync(exported, writeSafetensors(state, metadata));
      const { tensors } = readSafetensors(torchFixture(`${name}-expected.safetensors`));
      const [frames, rates] = [tensors.get('frames'), tensors.get('rates')];
      if (frames?.dtype !== 'F32' || rates?.dtype !== 'F32') throw new Error('no frames or rates');
      const program = `${documentedFunctions()}
values = json.load(open(0))
frames = torch.tensor(values['data'], dtype=torch.float32).reshape(values['shape'])
print(json.dumps(rates(*read_state(${JSON.stringify(exported)}), frames).flatten().tolist()))
`;
      const run = spawnSync(python ?? '', ['-c', program], {
        input: JSON.stringify({ shape: frames.shape, data: [...frames.data] }),
        encoding: 'utf8',
      });
      expect(run.stderr).not.toContain('Error');
      const found: number[] = JSON.parse(run.stdout);
      expect(found).toHaveLength(rates.data.length);
      for (const [i, rate] of found.entries()) expect(rate).toBeCloseTo(rates.data[i] ?? Number.NaN, 6);
    },
  );
});
