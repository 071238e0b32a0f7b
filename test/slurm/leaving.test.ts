import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { repro } from '../runner/rig/cli-project.ts';
import { noTerminal, Terminal } from '../support/terminal.ts';
import { StandInSlurm } from './stand-in-slurm.ts';

const stages = `  one: { cmd: [node, tool.mjs, wait], outputs: [artifacts/one] }
  two: { cmd: [node, tool.mjs], inputs: [artifacts/one], outputs: [artifacts/two] }
`;

const local =
  '  here: { cmd: [node, tool.mjs], inputs: [artifacts/two], outputs: [artifacts/here], executor: local }\n';

const ctrlC = '\u0003';

function start(project: StandInSlurm, ...words: string[]): Terminal {
  const env = { PATH: `${project.folder}:${process.env.PATH}`, FAKE: project.folder, NO_COLOR: '1' };
  return Terminal.start([process.execPath, repro, ...words], {
    columns: 120,
    rows: 30,
    cwd: project.root,
    env,
  });
}

const shows =
  (pattern: RegExp) =>
  (screen: readonly string[]): boolean =>
    pattern.test(screen.join('\n'));

describe.skipIf(noTerminal !== undefined)('Ctrl-C on a terminal', () => {
  test('leaves the jobs alone, a second one asks, and the exit code is that of an interruption whatever is answered', async ({
    onTestFinished,
  }) => {
    const project = await StandInSlurm.with(onTestFinished, stages);
    const run = start(project, 'run', '--executor', 'slurm');
    await run.waitFor(shows(/one on node1/));
    run.type(ctrlC);
    await run.waitFor(shows(/1 job continues on the cluster/));
    await run.waitFor(shows(/press Ctrl-C again/));
    run.type(ctrlC);
    await run.waitFor(shows(/Cancel 1 job\?/));
    run.type('n\r');
    expect(await run.ended).toBe(130);
    await project.expectJobs(['101 RUNNING']);

    const attached = start(project, 'attach');
    await attached.waitFor(shows(/one on node1/));
    attached.type(ctrlC);
    await attached.waitFor(shows(/press Ctrl-C again/));
    attached.type(ctrlC);
    await attached.waitFor(shows(/Cancel 1 job\?/));
    attached.type('y\r');
    expect(await attached.ended).toBe(130);
    expect(attached.everything.join('\n')).toContain('1 job cancelled');
    await project.expectJobs(['101 CANCELLED']);
  });

  test('before the jobs have been looked at leaves them alone, too, says so, and submits nothing', async ({
    onTestFinished,
  }) => {
    const project = await StandInSlurm.with(onTestFinished, stages + local);
    const first = project.run();
    await project.until(() => project.count('one') === 1);
    first.interrupt();
    await first.ended;
    // The first question to Slurm is answered only after the key was pressed.
    const scontrol = path.join(project.folder, 'scontrol');
    const script = await fs.readFile(scontrol, 'utf8');
    const slow = 'touch "$FAKE/asks"; until [ -e "$FAKE/answers" ]; do sleep 0.02; done';
    await fs.writeFile(scontrol, script.replace('\n', `\n${slow}\n`));
    const attached = start(project, 'attach');
    await project.until(() => existsSync(path.join(project.folder, 'asks')));
    attached.type(ctrlC);
    await attached.waitFor(shows(/\^C/));
    await project.tell('answers');
    await attached.waitFor(shows(/1 job continues on the cluster/));
    await attached.waitFor(shows(/press Ctrl-C again/));
    attached.type(ctrlC);
    await attached.waitFor(shows(/Cancel 1 job\?/));
    attached.type(ctrlC);
    expect(await attached.ended).toBe(130);
    await project.expectJobs(['101 RUNNING']);
    expect(project.count('here')).toBe(0);
  });
});
