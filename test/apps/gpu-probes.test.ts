import process from 'node:process';
import { expect, test } from 'vitest';
import { listGpusApart } from '../../src/apps/gpu-probes.ts';

test('reads what the listing process prints, and takes a crash for no GPU', async () => {
  const list = (script: string) => listGpusApart([process.execPath, '-e', script]);
  const adapters = '{"ok":true,"adapters":[]}';
  expect(await list(`console.log('${adapters}')`)).toEqual(JSON.parse(adapters));
  for (const script of ['process.kill(process.pid, "SIGSEGV")', 'console.log("[]")', ''])
    expect(await list(script)).toMatchObject({ ok: false, reason: expect.stringContaining('failed') });
});
