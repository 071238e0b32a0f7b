import { expect, test } from 'vitest';
import { StandInSlurm } from './stand-in-slurm.ts';

const stage = (name: string, what = 'write'): string =>
  `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}] }\n`;

test('a refusal says which jobs go on, and attach waits for them beside it', async ({ onTestFinished }) => {
  const project = await StandInSlurm.with(onTestFinished, stage('first', 'wait') + stage('second'));
  await project.tell('refuses', 'second');
  const { stderr, exitCode } = await project.run().ended;
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('you may not use this qos')]);
  expect(stderr).toContain('1 job submitted before continues: `./repro attach` waits for it');
  const attached = project.call(['attach']);
  await project.until(() => project.askedTimes === 3);
  await project.write('go', '');
  const end = await attached;
  expect([end.exitCode, end.stderr]).toEqual([1, expect.stringContaining('1 run, 1 failed')]);
  expect(end.stderr).toContain('you may not use this qos');
  expect(project.has('artifacts/first')).toBe(true);
});
