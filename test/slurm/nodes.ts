import { rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cluster, hostName } from './slurm-cluster.ts';
import { fastSettings, SlurmProject, stage } from './slurm-project.ts';

/** What nodes have, and what they lack. */
export function describeNodes(): void {
  test.concurrent('a prelude finds what the profile of the home defines', async () => {
    const settings = `${fastSettings}prelude: ['module load "$HOME"']\n`;
    const project = await SlurmProject.on(cluster(), stage('loading', 'write'), settings);
    await project.edit(
      'tool.mjs',
      "if (what === 'fail')",
      "console.log('PATH: ' + process.env.PATH);\nif (what === 'fail')",
    );
    await project.write(
      'home/.bash_profile',
      'export PATH="/of/profile:/usr/bin:/bin"\nmodule() { echo "$*" > "$HOME/loaded"; PATH="/of/module:$PATH"; }\n',
    );
    const { stderr } = await project.call(['run', '--executor', 'slurm'], {
      HOME: project.at('home'),
      PATH: `/of/shell:${process.env.PATH}`,
    });
    expect(stderr).toContain('1 run');
    expect(project.read('home/loaded')).toBe(`load ${project.at('home')}\n`);
    expect(project.read('artifacts/.cache/logs/loading.log')).toMatch(
      /^PATH: \/of\/module:\/of\/shell:.*:\/of\/profile:\/usr\/bin:\/bin$/m,
    );
  });

  test.concurrent.each([
    'command: [apptainer-of-another-node, exec]\n',
    'prelude: [module-of-another-site load x]\n',
  ])('what a node lacks is told at once, with what the shell says of it: %j', async (more) => {
    const settings = `poll: 0.6s\npatience: 10m\n${more}`;
    const project = await SlurmProject.on(cluster(), stage('lacking', 'write'), settings);
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/lacking failed: job \d+ on \S+ failed before its stage began/),
    ]);
    expect(stderr).toMatch(/of-another-(node|site).*(not found|load x)/);
  });

  test.concurrent('a job on a node that does not have the project has failed before its stage began, and its log is nowhere', async () => {
    const settings = `${fastSettings}defaults: { flags: [--hold] }\n`;
    const project = await SlurmProject.on(cluster(), stage('stray', 'write'), settings);
    const running = project.run();
    await cluster().expectJobs('stray', [/^PENDING/]);
    running.kill('SIGKILL');
    await running;
    const [id = ''] =
      /^\d+(?= stray)/m.exec(await cluster().ask('squeue', '--noheader', '--format=%i %j')) ?? [];
    // As on a node with a disk of its own.
    const folder = project.at('artifacts/.cache/jobs/stages');
    await rename(folder, project.at('elsewhere'));
    await cluster().ask('scontrol', 'release', id);
    await cluster().expectJobs('stray', [/^FAILED NonZeroExitCode/]);
    await rename(project.at('elsewhere'), folder);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /stray failed: job \d+ on \S+ failed before its stage began \(NonZeroExitCode\)\n.*Without a log, the project is another folder on that node/,
    );
  });

  test.concurrent('two nodes that share the folder work on one graph, each on what the other has made', async () => {
    const stages = `${stage('here', 'write')}${stage('there', 'write', ', inputs: [artifacts/here]')}${stage('back', 'write', ', inputs: [artifacts/there]')}`;
    const on = (node: string): string => `{ partition: both, flags: [--nodelist=${node}] }`;
    const settings = `${fastSettings}stages: { here: ${on(hostName)}, there: ${on('second')}, back: ${on(hostName)} }\n`;
    const project = await SlurmProject.on(cluster(), stages, settings);
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('3 run')]);
    const jobs = await cluster().ask('squeue', '--noheader', '--states=all', '--format=%j %N');
    for (const name of ['here', 'back'])
      expect(jobs).toMatch(new RegExp(`^${name}\\.\\w+ ${hostName}$`, 'm'));
    expect(jobs).toMatch(/^there\.\w+ second$/m);
    expect(project.read('artifacts/back/text')).toBe('back\n');
  });
}
