import { expect, test } from 'vitest';
import { StandInSlurm } from './stand-in-slurm.ts';

const wait = 'setTimeout(() => require("fs").mkdirSync(process.env.REPRO_OUTPUT_0), 1500)';

const stage = (name: string, more: string): string =>
  `  ${name}: { cmd: [node, -e, '${wait}'], outputs: [artifacts/${name}], resources: { time: 1s }${more} }\n`;

test.concurrent('the own limit of a stage ends it in a job, but for one that goes on in another: the time of the job is what limits that', async ({
  onTestFinished,
}) => {
  const stages = stage('short', '') + stage('resumed', ', resume: [artifacts/resumed.resume]');
  const project = await StandInSlurm.with(onTestFinished, stages);
  const { stderr } = await project.run().ended;
  expect(stderr).toContain('1 run, 1 failed');
  expect(stderr).toMatch(/short failed: .*it ran longer than its limit of 1 s/);
});

test.concurrent('a stage that is killed within its job is said to be short of the memory that the job has', async ({
  onTestFinished,
}) => {
  const stages = `  large: { cmd: [node, -e, 'process.kill(process.pid, "SIGKILL")'], outputs: [artifacts/large] }\n`;
  const project = await StandInSlurm.with(onTestFinished, stages);
  const { stderr } = await project.run().ended;
  expect(stderr).toMatch(
    /killed by SIGKILL.*\n.*raise resources\.memory of the stage, or `memory` in configs/,
  );
});
