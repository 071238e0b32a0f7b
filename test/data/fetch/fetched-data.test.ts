import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { listGestureClips } from '../../../src/data/dvs128-gesture/dataset.ts';
import { ARCHIVE } from '../../../src/data/dvs128-gesture/files.ts';
import { verifyGestures } from '../../../src/data/dvs128-gesture/verify.ts';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import { gestureFacts, gestureFiles, packGestures, writeGestures } from '../../support/gesture-fixture.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { homepage, remoteFile, serve, startServer, status } from './rig.ts';

test('an archive is found, verified and read where fetch puts it, without another step', async () => {
  const made = await temporaryFolder();
  await writeGestures(made, gestureFiles(false));
  await packGestures(made, path.join(made, 'made.tar.gz'));
  const bytes = await readFile(path.join(made, 'made.tar.gz'));
  const host = await startServer(serve(bytes));
  const page = await startServer(status(302, { location: host.url('/file') }));
  const file = remoteFile(bytes, [page.url()], { name: ARCHIVE, sizeBytes: null });
  const root = path.join(await temporaryFolder(), 'data');
  await mkdir(root);
  expect(await fetchFiles({ files: [file], homepage }, root)).toMatchObject([{ outcome: 'downloaded' }]);
  const real = { simulated: false };
  const manifest = await verifyGestures(root, real, gestureFacts(file.md5));
  expect(manifest.archive).toBe(true);
  const { train, test } = await listGestureClips(gestureFacts(), root, real);
  expect([train.length, test.length]).toEqual([3 * 12, 12]);
});
