import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countCores } from '../../src/base/cores.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'cores-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
}

test('the smallest quota of a control group and those above it limits the cores, rounded down', async () => {
  await write('proc/self/cgroup', '0::/slice/job\n');
  await write('sys/fs/cgroup/slice/job/cpu.max', 'max 100000\n');
  await write('sys/fs/cgroup/slice/cpu.max', '190000 100000\n');
  expect(countCores(root)).toBe(1);
});

test('half a core counts as one', async () => {
  await write('proc/self/cgroup', '0::/\n');
  await write('sys/fs/cgroup/cpu.max', '50000 100000\n');
  expect(countCores(root)).toBe(1);
});

test('without control groups, with a first version of them or with a larger quota, all cores that Node.js names count', async () => {
  expect(countCores(root)).toBe(os.availableParallelism());
  await write('proc/self/cgroup', '4:cpu:/job\n');
  expect(countCores(root)).toBe(os.availableParallelism());
  await write('proc/self/cgroup', '0::/job\n');
  await write('sys/fs/cgroup/job/cpu.max', '99900000 100000\n');
  expect(countCores(root)).toBe(os.availableParallelism());
});

test.runIf(process.platform === 'linux')('a process bound to one core by taskset counts one', () => {
  const [, core = ''] = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const source = readFileSync(new URL('../../src/base/cores.ts', import.meta.url), 'utf8');
  const script = `${transformSync(source, { loader: 'ts' }).code}\nconsole.log(countCores());`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  expect(execFileSync('taskset', ['-c', core, ...node], { encoding: 'utf8' }).trim()).toBe('1');
});
