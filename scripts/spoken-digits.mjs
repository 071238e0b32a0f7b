// Makes configs/recordings/spoken-digits/events.tar.gz: the ten digits of Arabic Speech Commands, five rounds of each of 30 people, as events.
// Run: node scripts/spoken-digits.mjs FOLDER, the folder dataset/ that `./repro data fetch arabic-digits` gets, whose commit it proves.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { create } from 'tar';
import { parse } from 'yaml';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TARGET = path.join(ROOT, 'configs/recordings/spoken-digits/events.tar.gz');
/** Of the ten in which each person says each word. */
const ROUNDS = 5;
const [recordings] = process.argv.slice(2);
if (recordings === undefined) {
  process.stderr.write('Usage: node scripts/spoken-digits.mjs FOLDER\n');
  process.exit(2);
}

const { classes, audio } = parse(
  await readFile(path.join(ROOT, 'configs/datasets/arabic-digits.yaml'), 'utf8'),
);
const folder = await mkdtemp(path.join(tmpdir(), 'spoken-digits-'));
try {
  const { decodeSound } = await bundle('src/data/events/sound-events.ts');
  const files = [];
  for (const word of classes) {
    await mkdir(path.join(folder, word));
    for (const name of (await readdir(path.join(recordings, word))).sort()) {
      const [, person, round] = /^(\d{8})_NO_(\d\d)\.wav$/.exec(name) ?? [];
      if (person === undefined || Number(round) > ROUNDS) continue;
      const file = `${word}/${person}_${round}.npy`;
      const { events } = decodeSound(await readFile(path.join(recordings, word, name)), name, audio);
      await writeFile(path.join(folder, file), formatEvents(events));
      // The same archive, whenever it is made.
      await utimes(path.join(folder, file), 0, 0);
      files.push(file);
    }
  }
  if (files.length !== 30 * classes.length * ROUNDS) throw new Error(`${files.length} of 1,500 recordings`);
  await create({ cwd: folder, gzip: { level: 9 }, portable: true, file: `${TARGET}.part` }, files);
  await rename(`${TARGET}.part`, TARGET);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * A .npy [N, 4] of t, x, y and p, column by column, which packs better. Times are in whole ms, rounded down: frames of whole ms are the same as
 * those of the recordings.
 */
function formatEvents({ tUs, x, y, p }) {
  const columns = [tUs.map((us) => Math.floor(us / 1000)), x, y, p];
  const shape = `(${tUs.length}, 4)`;
  const header = `{'descr': '<u2', 'fortran_order': True, 'shape': ${shape}, }`.padEnd(117);
  const data = columns.map((column) => Buffer.from(Uint16Array.from(column).buffer));
  return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00v\x00${header}\n`, 'latin1'), ...data]);
}

/** Bundles a module, because Node 20 does not run TypeScript. */
async function bundle(entry) {
  const outfile = path.join(folder, 'bundle.mjs');
  await build({
    entryPoints: [path.join(ROOT, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  return await import(pathToFileURL(outfile).href);
}
