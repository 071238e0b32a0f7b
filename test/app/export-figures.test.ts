import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';
import { makeSheet, NOTICE } from './made-up-figure.ts';

let project: CliProject;

beforeAll(async () => {
  const figure = { title: 'Accuracy over epochs', caption: 'Share of clips.', alt: 'A square.' };
  const list = {
    version: 1,
    figures: [{ id: 'accuracy', ...figure, svg: 'accuracy.svg', csv: 'accuracy.csv' }],
  };
  project = await CliProject.createForFile({
    'pipeline.yaml': 'version: 1\n',
    'made/figures/index.json': JSON.stringify(list),
    'made/figures/accuracy.svg': makeSheet(NOTICE),
  });
});

afterAll(() => project.remove('.'));

const figures = (...words: readonly string[]) =>
  project.call(['export', 'figures', '--format', 'svg', ...words]);

describe('repro export figures', () => {
  test('says how to get a report if there is none', async () => {
    const { exitCode, stderr } = await figures();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('artifacts/report/figures/index.json  this file is missing');
    expect(stderr).toContain('./repro run report');
  });

  test('exports the figures of the report, or of one anywhere, and replaces no file unasked', async () => {
    const first = await figures('--report', 'made', '--out', 'paper/figures', '--json');
    expect(JSON.parse(first.stdout)).toMatchObject({
      command: 'export figures',
      files: [{ file: 'paper/figures/accuracy.svg' }],
    });
    expect(project.read('paper/figures/accuracy.svg')).toContain(NOTICE);
    expect((await figures('--report', 'made', '--out', 'paper/figures')).exitCode).toBe(0);
    await project.write('artifacts/report/figures/index.json', project.read('made/figures/index.json'));
    await project.write('artifacts/report/figures/accuracy.svg', makeSheet());
    const refused = await figures('--out', 'paper/figures');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('paper/figures/accuracy.svg  this file already exists');
    expect((await figures('--out', 'paper/figures', '--force')).exitCode).toBe(0);
    expect(project.read('paper/figures/accuracy.svg')).not.toContain(NOTICE);
  });

  test('refuses a list of another version', async () => {
    await project.write('old/figures/index.json', '{"version": 2, "figures": []}');
    const { exitCode, stderr } = await figures('--report', 'old');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('index.json');
  });
});
