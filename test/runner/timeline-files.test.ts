import { statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { CliProject } from './rig/cli-project.ts';

const svg = 'artifacts/timeline/timeline.svg';
const csv = 'artifacts/timeline/timeline.csv';

/** Writes one output and counts; fails or waits if it is told so. */
const tool = `import fs from 'node:fs';
fs.appendFileSync('counts/' + process.env.REPRO_ID, 'x\\n');
const what = process.argv[2];
if (what === 'fail') process.exit(3);
if (what === 'wait') setInterval(() => {}, 1000);
else {
  fs.mkdirSync(process.env.REPRO_OUTPUT_0);
  fs.writeFileSync(process.env.REPRO_OUTPUT_0 + '/text', process.env.REPRO_ID);
}
`;

/** Two stages, the second of which does what it is told. */
function createProject(second = 'write'): Promise<CliProject> {
  return CliProject.create({
    'pipeline.yaml': `version: 1
timeline: artifacts/timeline
stages:
  first: { cmd: [node, tool.mjs], inputs: [data], outputs: [artifacts/first] }
  second: { cmd: [node, tool.mjs, ${second}], inputs: [artifacts/first], outputs: [artifacts/second] }
`,
    'tool.mjs': tool,
    'counts/README': '',
    data: 'one',
  });
}

const writtenNs = (project: CliProject): bigint => statSync(project.at(svg), { bigint: true }).mtimeNs;

/** The instances in the CSV. */
const rowsOf = (project: CliProject): string[] =>
  project
    .read(csv)
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')[0] ?? '');

describe('a run', () => {
  test('writes the timeline of all instances, if a record is newer or comes back, and leaves it alone if nothing happened', async () => {
    const project = await createProject();
    expect((await project.call(['run', 'second', '--dry-run'])).exitCode).toBe(0);
    expect(project.has('artifacts/timeline')).toBe(false);

    expect((await project.call(['run', 'first'])).exitCode).toBe(0);
    expect(rowsOf(project)).toEqual(['first']);
    expect(project.read(svg)).toContain('second never succeeded.');

    const { stdout, exitCode } = await project.call(['run', '--json']);
    expect([exitCode, JSON.parse(stdout).outcome]).toEqual([0, 'ok']);
    expect(rowsOf(project)).toEqual(['first', 'second']);
    expect(project.read(svg)).not.toContain('never succeeded');

    const before = writtenNs(project);
    expect((await project.call(['run'])).stderr).toContain('2 up to date');
    expect(writtenNs(project)).toBe(before);

    await project.remove(csv);
    await project.call(['run', 'first']);
    expect(rowsOf(project)).toEqual(['first', 'second']);
    expect([project.count('first'), project.count('second')]).toEqual([1, 1]);

    // As after a run that was killed, or jobs that ended later.
    await project.write(svg, 'of an earlier run');
    await utimes(project.at(svg), 1, 1);
    await project.call(['run']);
    expect(project.read(svg)).toContain('</svg>');

    await project.write('data', 'two');
    await project.call(['run']);
    const [, , second = ''] = project.read(csv).split('\n');
    await project.write('data', 'one');
    expect((await project.call(['run'])).stderr).toContain('2 up to date');
    expect(project.read(csv)).not.toContain(second);
  });

  test('that could not write it succeeds with a warning, once for each run', async () => {
    const project = await createProject();
    await project.write('artifacts/timeline', 'somebody’s file');
    for (const counted of ['2 run', '2 up to date']) {
      const { exitCode, stderr } = await project.call(['run']);
      expect(exitCode).toBe(0);
      expect(stderr).toContain(counted);
      const [warning, ...more] = stderr.match(/^! .*\n.*/gm) ?? [];
      expect(warning).toMatch(
        /^! artifacts\/timeline {2}the timeline was not written: .*artifacts\/timeline expected a folder, found a file\. Move away what is in its place, or choose another\.\n {2}Results are not affected\. Once this is mended, the next run writes it\.$/,
      );
      expect(more).toEqual([]);
    }
    expect(project.read('artifacts/timeline')).toBe('somebody’s file');
  });

  test('writes nothing if the pipeline names no folder', async () => {
    const project = await createProject();
    await project.edit('pipeline.yaml', 'timeline: artifacts/timeline\n', '');
    await project.call(['run']);
    expect(project.has('artifacts/timeline')).toBe(false);
    expect(project.has('artifacts/second')).toBe(true);
  });
});

test('status and gc neither see the timeline nor touch it, and it makes nothing stale', async () => {
  const project = await createProject();
  await project.call(['run']);
  const before = [writtenNs(project), project.read(svg), project.read(csv)];
  expect((await project.call(['status', '--exit-code'])).exitCode).toBe(0);
  expect((await project.call(['gc', '--keep', '1'])).exitCode).toBe(0);
  expect((await project.call(['cache', 'verify'])).exitCode).toBe(0);
  expect([writtenNs(project), project.read(svg), project.read(csv)]).toEqual(before);

  await project.edit('pipeline.yaml', 'timeline: artifacts/timeline\n', '');
  expect((await project.call(['run'])).stderr).toContain('2 up to date');
  // It is no output of a stage, so nobody removes it.
  expect(project.has(svg)).toBe(true);
});
