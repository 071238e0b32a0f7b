import process from 'node:process';
import { expect, test } from 'vitest';
import { listGpusApart, probeCudaApart } from '../../src/app/project/gpu-probes.ts';

const node = (script: string) => probeCudaApart([process.execPath, '-e', script]);

test('reads the last line of the probing process, whatever TensorFlow printed before', async () => {
  const probe = `console.log('2024: I tensorflow/...'); console.log('{"usable":true,"version":"4.22.0"}')`;
  expect(await node(probe)).toEqual({ usable: true, version: '4.22.0' });
  const absent = `console.log('{"usable":false,"reason":"no driver","fix":null}')`;
  expect(await node(absent)).toEqual({ usable: false, reason: 'no driver', fix: null });
});

test('reads what the listing process prints, and takes a crash for no GPU', async () => {
  const list = (script: string) => listGpusApart([process.execPath, '-e', script]);
  const adapters = '{"ok":true,"adapters":[]}';
  expect(await list(`console.log('${adapters}')`)).toEqual(JSON.parse(adapters));
  for (const script of ['process.kill(process.pid, "SIGSEGV")', 'console.log("[]")', ''])
    expect(await list(script)).toMatchObject({ ok: false, reason: expect.stringContaining('failed') });
});

test('a driver that hangs is no GPU after a while, as every command would wait for it', async () => {
  const hang = listGpusApart([process.execPath, '-e', 'setInterval(() => {}, 1000)'], 500);
  expect(await hang).toMatchObject({
    ...{ ok: false, reason: 'looking for GPUs failed (no answer after 0.5 s)' },
  });
});

test('a library that crashes its process, or prints nothing sensible, means no CUDA, without crashing this program', async () => {
  for (const script of ['process.kill(process.pid, "SIGSEGV")', 'process.exit(3)', 'console.log("{}")', '']) {
    expect(await node(script)).toMatchObject({ usable: false, reason: expect.stringContaining('failed') });
  }
});
