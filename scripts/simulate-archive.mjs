// Makes a DvsGesture.tar.gz of simulated recordings that has the size and layout of the published one: the same 122 recordings by name, six
// seconds a gesture, about as many events. It stands in for the published archive when the way from archive to report is rehearsed
// (docs/designs.md). Run: node scripts/simulate-archive.mjs FOLDER [SECONDS A GESTURE]
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { create } from 'tar';
import { parse } from 'yaml';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [target, seconds = '6'] = process.argv.slice(2);
if (target === undefined || target.startsWith('-') || !(Number(seconds) >= 0.1)) {
  process.stderr.write('Usage: node scripts/simulate-archive.mjs FOLDER [SECONDS A GESTURE, at least 0.1]\n');
  process.exit(2);
}

/** Bundles the simulation, because Node 20 does not run TypeScript. */
async function loadWriter(folder) {
  const outfile = path.join(folder, 'dataset-writer.mjs');
  const entry = path.join(ROOT, 'src/data/simulated/dataset-writer.ts');
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' });
  return (await import(pathToFileURL(outfile).href)).writeSimulatedDataset;
}

const archive = path.join(target, 'DvsGesture.tar.gz');
if (existsSync(archive)) {
  process.stderr.write(
    `${archive} exists, and may be the published one. Name another folder, or delete it first.\n`,
  );
  process.exit(1);
}
const facts = parse(await readFile(path.join(ROOT, 'configs/datasets/dvs128-gesture.yaml'), 'utf8'));
const only = Object.values(facts.recordings).flatMap((split) =>
  Object.keys(split).map((file) => path.parse(file).name),
);
const bundle = await mkdtemp(path.join(tmpdir(), 'simulate-archive-'));
// Five gigabytes, so not in a temporary folder, which may be in memory.
const unpacked = path.join(target, 'being-simulated');
try {
  await mkdir(target, { recursive: true });
  const writeSimulatedDataset = await loadWriter(bundle);
  const lights = ['fluorescent', 'fluorescent_led', 'lab', 'led', 'natural'];
  const options = { seed: 1, trainUsers: 23, testUsers: 6, lights, gestureSeconds: Number(seconds) };
  const made = await writeSimulatedDataset(
    unpacked,
    { ...options, sensitivity: 4, only },
    { progress: (done, total) => process.stderr.write(`\r${done} of ${total} recordings`) },
  );
  process.stderr.write('\npacking …\n');
  // Level 1: events hardly compress better at others, which take several times as long.
  await create({ cwd: unpacked, gzip: { level: 1 }, file: `${archive}.part`, portable: true }, [
    'DvsGesture',
  ]);
  await rename(`${archive}.part`, archive);
  const { size } = await stat(archive);
  process.stdout.write(
    `${archive}: ${made.recordings} simulated recordings, ${made.clips} clips, ${(made.events / 1e6).toFixed(0)} million events; ` +
      `${(size / 1e9).toFixed(2)} GB, unpacked ${(made.sizeBytes / 1e9).toFixed(2)} GB\n`,
  );
} finally {
  await rm(unpacked, { recursive: true, force: true });
  await rm(bundle, { recursive: true, force: true });
}
