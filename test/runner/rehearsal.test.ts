import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CliProject } from './rig/cli-project.ts';

const pipeline = `version: 1
profiles: {folder: profiles, default: small}
stages:
  first: {cmd: [sh, -c, 'echo "$0" > "$REPRO_OUTPUT_0"', "\${word}"], outputs: [artifacts/first]}
  many:
    matrix: {n: "\${numbers}"}
    cmd: [sh, -c, 'cp artifacts/first "$REPRO_OUTPUT_0"']
    inputs: [artifacts/first]
    outputs: ["artifacts/many/\${n}"]
    resources: {cpu: 1, memory: 1M}
  last: {cmd: [sh, -c, 'ls artifacts/many > "$REPRO_OUTPUT_0"'], inputs: [artifacts/many], outputs: [artifacts/last]}
`;

/** Run once with profile small; then the records claim that `first` took a minute, each of `many` ten in three jobs, and `last` a second. */
async function createRun(): Promise<CliProject> {
  const project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'profiles/small.yaml': 'word: hello\nnumbers: [1, 2, 3, 4]\n',
    'profiles/large.yaml': 'word: hallo\nnumbers: [1, 2, 3, 4]\n',
  });
  expect((await project.call(['run'])).exitCode).toBe(0);
  for (const part of readdirSync(project.at('artifacts/.cache/actions'))) {
    for (const name of readdirSync(project.at('artifacts/.cache/actions', part))) {
      await setSeconds(project, `artifacts/.cache/actions/${part}/${name}`);
    }
  }
  for (const name of readdirSync(project.at('artifacts/.cache/records'))) {
    await setSeconds(project, `artifacts/.cache/records/${name}`);
  }
  return project;
}

async function setSeconds(project: CliProject, file: string): Promise<void> {
  const record = JSON.parse(project.read(file));
  const times = {
    first: { seconds: 60 },
    many: { seconds: 200, totalSeconds: 600 },
    last: { seconds: 1 },
  }[record.stage as 'first' | 'many' | 'last'];
  await project.write(file, JSON.stringify({ ...record, ...times }));
}

describe('repro run --dry-run', () => {
  test('expects what earlier runs took, as the scheduler would run them', async () => {
    const project = await createRun();
    await project.edit('profiles/small.yaml', 'hello', 'hi');
    const two = await project.call(['run', '--dry-run', '--jobs', '2']);
    expect(two.stderr).toContain('? first  would run for about 60 seconds: command: ');
    expect(two.stderr).toContain('? many@4  would run for about 10 minutes: artifacts/first waits for first');
    // One minute, then twice ten, then a second.
    expect(two.stderr).toContain('6 to run in');
    expect(two.stderr).toContain('expected time: about 21 minutes');
    const one = await project.json(['run', '--dry-run', '--jobs', '1']);
    expect(one.expected).toEqual({ seconds: 60 + 4 * 600 + 1, unknown: 0 });
    expect(one.instances[1].expected).toEqual({ seconds: 600, from: 'own-run' });
    expect(one.instances[1].reasons).toEqual([{ cue: 'input', text: 'artifacts/first waits for first' }]);
  });

  test('counts only what has to run', async () => {
    const project = await createRun();
    await project.remove('artifacts/.cache/store');
    await project.remove('artifacts/many/3');
    const { expected, instances } = await project.json(['run', '--dry-run', '--jobs', '2']);
    expect(instances.map((one: { state: string }) => one.state)).toEqual([
      'cached',
      'cached',
      'cached',
      'would-run',
      'cached',
      'would-run',
    ]);
    expect(expected).toEqual({ seconds: 601, unknown: 0 });
  });

  test('takes the average of its stage for an instance that has not run, and says so', async () => {
    const project = await createRun();
    await project.edit('profiles/small.yaml', '4]', '5]');
    const { stderr } = await project.call(['run', '--dry-run']);
    expect(stderr).toContain(
      '? many@5  would run for about 10 minutes, like others of its stage: has not run yet',
    );
  });

  test('claims nothing about a profile that has not run here', async () => {
    const project = await createRun();
    const { stderr } = await project.call(['run', '--dry-run', '--profile', 'large']);
    expect(stderr).toContain('? first  would run: ');
    expect(stderr).toContain('expected time: unknown, since this profile has not run here');
    const { expected } = await project.json(['run', '--dry-run', '--profile', 'large']);
    expect(expected.unknown).toBe(6);
  });

  test('says that it takes longer if some stages are unknown', async () => {
    const project = await createRun();
    await project.edit(
      'pipeline.yaml',
      '  last:',
      `  other: {cmd: [sh, -c, 'true'], outputs: [artifacts/other]}\n  last:`,
    );
    await project.edit('profiles/small.yaml', 'hello', 'hi');
    const { stderr } = await project.call(['run', '--dry-run', '--jobs', '1']);
    expect(stderr).toContain('expected time: more than 41 minutes: one stage has no earlier run');
  });
});
