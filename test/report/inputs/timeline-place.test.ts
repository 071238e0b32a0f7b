// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { Fields } from '../../../src/formats/fields.ts';
import { readTimelinePlace } from '../../../src/report/inputs/timeline-place.ts';

const FILE = { file: 'pipeline.yaml', code: 'report-input', fix: 'Mend it.' };
const read = (timeline: string | undefined, output: string, run = 'stages/report.ts') => {
  const stages = { other: { cmd: ['a'], outputs: ['artifacts/b'] }, page: { run, outputs: [output] } };
  const fields = new Fields(FILE, { ...(timeline === undefined ? {} : { timeline }), stages });
  return readTimelinePlace(fields, 'stages/report.ts', { report: { folder: 'x/y' } });
};

it.each([
  ['beside it', 'artifacts/timeline', 'artifacts/report', '../timeline'],
  ['elsewhere', './artifacts//times/all', 'artifacts/a/report', '../../times/all'],
  ['where a setting says', 'artifacts/timeline', 'artifacts/${report.folder}', '../../timeline'],
])('the timeline is found %s, as seen from the report', (_, timeline, output, place) => {
  expect(read(timeline, output)).toBe(place);
});

it('there is none if the pipeline has no place for it, no report, or one in a place that is not known', () => {
  expect(read(undefined, 'artifacts/report')).toBe(null);
  expect(read('artifacts/timeline', 'artifacts/report', 'stages/other.ts')).toBe(null);
  expect(read('artifacts/timeline', 'artifacts/${seed}')).toBe(null);
});

it('the pipeline of this project has one', async () => {
  const file = resolve(import.meta.dirname, '../../../pipeline.yaml');
  const fields = new Fields(FILE, parse(await readFile(file, 'utf8')));
  expect(readTimelinePlace(fields, 'stages/report.ts', {})).toBe('../timeline');
});
