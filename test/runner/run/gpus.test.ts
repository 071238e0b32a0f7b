import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findGpus, gpuEnvironment, parseGpuList } from '../../../src/runner/run/machine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the GPUs that stages may use', () => {
  test.each([
    ['0,1', ['0', '1']],
    [' 2 , GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 ', ['2', 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6']],
    ['1,-1,0', ['1']],
    ['1,1', ['1']],
    ['', []],
    ['NoDevFiles', []],
  ])('are those in the environment, as CUDA reads it: %j', (visible, expected) => {
    expect(findGpus({ CUDA_VISIBLE_DEVICES: visible })).toEqual(expected);
  });

  test('are otherwise those that the driver lists', async () => {
    const folder = await temporaryFolder();
    const program = path.join(folder, 'nvidia-smi');
    const line = (number: number) => `GPU ${number}: NVIDIA H100 80GB HBM3 (UUID: GPU-0${number})`;
    await writeFile(program, `#!/bin/sh\ntest "$1" = -L && printf '${line(0)}\\n${line(1)}\\n'\n`);
    await chmod(program, 0o755);
    expect(findGpus({ PATH: `${folder}:${process.env.PATH}` })).toEqual(['0', '1']);
  });

  test('are those of the command line, if they are ids', () => {
    expect(parseGpuList('0, 2')).toEqual(['0', '2']);
    for (const text of ['', 'all', '0,0', '-1', '0;1']) expect(parseGpuList(text)).toBeNull();
  });

  test('are numbered as nvidia-smi shows them, unless the user says otherwise', () => {
    expect(gpuEnvironment(['1', '3'], {})).toEqual({
      CUDA_VISIBLE_DEVICES: '1,3',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    });
    expect(gpuEnvironment(['3'], { CUDA_VISIBLE_DEVICES: '3' })).toEqual({ CUDA_VISIBLE_DEVICES: '3' });
    expect(gpuEnvironment(['3'], { CUDA_DEVICE_ORDER: 'FASTEST_FIRST' })).toEqual({
      CUDA_VISIBLE_DEVICES: '3',
      CUDA_DEVICE_ORDER: 'FASTEST_FIRST',
    });
  });
});
