import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readLogTail } from '../../../src/runner/run/stage-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('the last lines of a log leave out what the GPU package warns of in vain, and nothing else of it', async () => {
  const file = path.join(await temporaryFolder(), 'stage.log');
  const idle = ['Uniform', 'Storage'].map(
    (kind) =>
      `Warning: maxDynamic${kind}BuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit dynamic offset allocation limit.`,
  );
  const lines = [
    'epoch 1',
    ...idle,
    'Warning: device lost',
    ...Array.from({ length: 20 }, () => idle).flat(),
  ];
  await writeFile(file, `# header\n${lines.join('\n')}\n`);
  expect(readLogTail(file)).toEqual(['epoch 1', 'Warning: device lost']);
});
