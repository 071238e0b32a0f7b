import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSheet, NOTICE } from '../figure-export/made-up-figure.ts';

const repro = path.resolve(import.meta.dirname, '../../bin/repro.js');

/** A stage that copies a made-up report. */
const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  report:
    cmd: [node, copy.mjs]
    inputs: [made, copy.mjs]
    outputs: [artifacts/report]
`;

let folder: string;

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-figures-'));
  await fs.mkdir(path.join(folder, 'configs/profiles'), { recursive: true });
  await fs.mkdir(path.join(folder, 'made/figures'), { recursive: true });
  await fs.writeFile(path.join(folder, 'pipeline.yaml'), pipeline);
  await fs.writeFile(path.join(folder, 'configs/profiles/small.yaml'), 'seeds: [1]\n');
  await fs.writeFile(
    path.join(folder, 'copy.mjs'),
    "import fs from 'node:fs'; fs.cpSync('made', process.env.REPRO_OUTPUT_0, { recursive: true });",
  );
  const figure = { title: 'Accuracy over epochs', caption: 'Share of clips.', alt: 'A square.' };
  const list = {
    version: 1,
    figures: [{ id: 'accuracy', ...figure, svg: 'accuracy.svg', csv: 'accuracy.csv' }],
  };
  await fs.writeFile(path.join(folder, 'made/figures/index.json'), JSON.stringify(list));
  await fs.writeFile(path.join(folder, 'made/figures/accuracy.csv'), 'model,epoch\na,1\n');
  await fs.writeFile(path.join(folder, 'made/figures/accuracy.svg'), makeSheet());
});

afterAll(() => fs.rm(folder, { recursive: true, force: true }));

const call = (...words: readonly string[]) =>
  execa(process.execPath, [repro, ...words], {
    cwd: folder,
    reject: false,
    env: { NO_COLOR: '1', CI: 'true' },
  });
const figures = (...words: readonly string[]) => call('export', 'figures', '--format', 'svg', ...words);
const read = (...names: readonly string[]) => fs.readFile(path.join(folder, ...names), 'utf8');

describe('repro export figures', () => {
  test('says how to get a report if there is none', async () => {
    const { exitCode, stderr } = await figures();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('./repro run report');
  });

  test('exports the figures of any report on record, and replaces no file unasked', async () => {
    expect((await call('run')).exitCode).toBe(0);
    const first = await figures('--csv', '--captions', '--json');
    expect(JSON.parse(first.stdout)).toMatchObject({
      command: 'export figures',
      files: [
        { file: 'figures/accuracy.svg' },
        { file: 'figures/accuracy.csv' },
        { file: 'figures/captions.txt' },
      ],
      written: 3,
    });
    expect(await read('figures/captions.txt')).toBe('accuracy\nAccuracy over epochs. Share of clips.\n');
    expect(await read('figures/accuracy.csv')).toBe('model,epoch\na,1\n');

    // A second report; the first is only in the store now.
    const fingerprint: string = JSON.parse((await call('explain', 'report', '--list', '--json')).stdout)
      .instances[0].runs[0].fingerprint;
    await fs.writeFile(path.join(folder, 'made/figures/accuracy.svg'), makeSheet(NOTICE));
    expect((await call('run')).exitCode).toBe(0);
    const old = await figures('--run', fingerprint.slice(0, 12), '--json');
    expect(JSON.parse(old.stdout)).toMatchObject({ written: 0 });
    const refused = await figures();
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('figures/accuracy.svg  this file already exists, with another content');
    expect(await read('figures/accuracy.svg')).not.toContain(NOTICE);
    expect((await figures('--force')).exitCode).toBe(0);
    expect(await read('figures/accuracy.svg')).toContain(NOTICE);
  });

  test('takes a report from anywhere, and says what is missing in it', async () => {
    expect((await figures('--report', 'made', '--out', 'elsewhere')).exitCode).toBe(0);
    expect(await read('elsewhere/accuracy.svg')).toContain(NOTICE);
    const { exitCode, stderr } = await figures('--report', 'configs', '--out', 'nowhere');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${path.join('configs', 'figures', 'index.json')}  this file is missing`);
    expect((await figures('--out', 'pipeline.yaml')).stderr).toContain('a file is where a folder is needed');
    expect((await figures('--out', 'artifacts/figures')).stderr).toContain('artifacts/ is reserved');
  });
});
