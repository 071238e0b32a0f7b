import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { checkFreshness } from '../../src/runner/freshness/freshness.ts';
import { openSession, saveDigests } from '../../src/runner/freshness/session.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import { cacheFolderOf, fileNameOf } from '../../src/runner/store/cache-folder.ts';
import type { RecordedOutput, RunRecord } from '../../src/runner/store/records.ts';

// Makes the outputs and records of a project as if all of its stages had run: starting ten thousand processes would take a quarter of an
// hour. `node fill.mjs FOLDER`

const projectRoot = process.argv[2] ?? '';
const plan = await loadPlan({ projectRoot });
const session = openSession(plan, { facts: {} });
const folder = cacheFolderOf(plan);
const produced = new Map<string, readonly RecordedOutput[]>();
await mkdir(folder.records, { recursive: true });
for (const instance of plan.instances.values()) {
  const text = `${instance.id}\n`;
  const digest = createHash('sha256').update(text).digest('hex');
  const outputs = instance.outputs.map(
    (one): RecordedOutput => ({ path: one, kind: 'file', digest, sizeBytes: text.length, files: 1 }),
  );
  for (const one of instance.outputs) {
    await mkdir(path.dirname(path.join(projectRoot, one)), { recursive: true });
    await writeFile(path.join(projectRoot, one), text);
  }
  // Otherwise the first run would store them again.
  const object = session.store.fileOf(digest);
  await mkdir(path.dirname(object), { recursive: true });
  await writeFile(object, text);
  const freshness = await checkFreshness(session, instance, (id) => produced.get(id));
  if (!('parts' in freshness) || freshness.parts === null || freshness.fingerprint === null) {
    throw new Error(`${instance.id}: ${JSON.stringify(freshness)}`);
  }
  const record: RunRecord = {
    version: 1,
    id: instance.id,
    stage: instance.stage,
    fingerprint: freshness.fingerprint,
    parts: freshness.parts,
    outputs,
    metrics: {},
    startedAt: new Date(0).toISOString(),
    seconds: 1,
    peakMemoryBytes: null,
    host: 'bench',
    node: process.versions.node,
    commit: null,
    dirty: null,
    profile: plan.profile,
  };
  await writeFile(path.join(folder.records, `${fileNameOf(instance.id)}.json`), JSON.stringify(record));
  produced.set(instance.id, outputs);
}
await saveDigests(session);
