import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSheet, NOTICE } from '../figure-export/made-up-figure.ts';
import { CliProject } from '../runner/rig/cli-project.ts';

/** A stage that copies a made-up report. */
const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  report:
    cmd: [node, copy.mjs]
    inputs: [made, copy.mjs]
    outputs: [artifacts/report]
`;

let project: CliProject;

beforeAll(async () => {
  const figure = { title: 'Accuracy over epochs', caption: 'Share of clips.', alt: 'A square.' };
  const list = {
    version: 1,
    figures: [{ id: 'accuracy', ...figure, svg: 'accuracy.svg', csv: 'accuracy.csv' }],
  };
  project = await CliProject.createForFile({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml': 'seeds: [1]\n',
    'copy.mjs':
      "import fs from 'node:fs'; fs.cpSync('made', process.env.REPRO_OUTPUT_0, { recursive: true });",
    'made/figures/index.json': JSON.stringify(list),
    'made/figures/accuracy.csv': 'model,epoch\na,1\n',
    'made/figures/accuracy.svg': makeSheet(),
  });
});

afterAll(() => project.remove('.'));

const call = (...words: readonly string[]) => project.call(words);
const figures = (...words: readonly string[]) => call('export', 'figures', '--format', 'svg', ...words);

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
    expect(project.read('figures/captions.txt')).toBe('accuracy\nAccuracy over epochs. Share of clips.\n');
    expect(project.read('figures/accuracy.csv')).toBe('model,epoch\na,1\n');

    // A second report; the first is only in the store now.
    const fingerprint: string = (await project.json(['explain', 'report', '--list'])).instances[0].runs[0]
      .fingerprint;
    await project.write('made/figures/accuracy.svg', makeSheet(NOTICE));
    expect((await call('run')).exitCode).toBe(0);
    const old = await figures('--run', fingerprint.slice(0, 12), '--json');
    expect(JSON.parse(old.stdout)).toMatchObject({ written: 0 });
    const refused = await figures();
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('figures/accuracy.svg  this file already exists, with another content');
    expect(project.read('figures/accuracy.svg')).not.toContain(NOTICE);
    expect((await figures('--force')).exitCode).toBe(0);
    expect(project.read('figures/accuracy.svg')).toContain(NOTICE);
  });

  test('takes a report from anywhere, and says what is missing in it', async () => {
    await figures('--format', 'png', 'pdf', '--report', 'made', '--out', 'elsewhere');
    expect(project.read('elsewhere/accuracy.svg')).toContain(NOTICE);
    expect(['png', 'pdf'].map((format) => project.has(`elsewhere/accuracy.${format}`))).toEqual([true, true]);
    const { exitCode, stderr } = await figures('--report', 'configs', '--out', 'nowhere');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${path.join('configs', 'figures', 'index.json')}  this file is missing`);
    expect((await figures('--out', 'pipeline.yaml')).stderr).toContain('a file is where a folder is needed');
    expect((await figures('--out', 'artifacts/figures')).stderr).toContain('artifacts/ is reserved');
  });
});
