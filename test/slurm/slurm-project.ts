import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { vi } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';
import type { SlurmCluster } from './slurm-cluster.ts';

/** Asked often, and with little patience for files of other nodes: there is only one. */
export const fastSettings = 'poll: 0.6s\npatience: 2s\n';

/** Writes one output; counts how often it ran; waits, fails or ends its own job if it is told so. */
export const tool = `import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
const [what = 'write'] = process.argv.slice(2);
fs.appendFileSync('counts/' + process.env.REPRO_ID.replaceAll(/\\W/g, '-'), 'x\\n');
const parentOf = (pid) => Number(fs.readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[1]);
const [input] = [process.env.REPRO_INPUT_0];
if (input !== undefined) console.log('reads ' + input + (fs.readdirSync(input).length > 0 ? '' : ' in vain'));
if (what === 'fail') { console.log('it is broken'); process.exit(3); }
while (what === 'fail-late' && !fs.existsSync('ready')) await new Promise((resolve) => setTimeout(resolve, 50));
if (what === 'fail-late') process.exit(3);
if (what === 'kill-job') process.kill(parentOf(process.ppid), 'SIGKILL');
while (what === 'wait' && !fs.existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 50));
fs.mkdirSync(process.env.REPRO_OUTPUT_0);
fs.writeFileSync(process.env.REPRO_OUTPUT_0 + '/text', process.env.REPRO_ID + '\\n');
fs.writeFileSync(process.env.REPRO_OUTPUT_0 + '/gpus', String(process.env.CUDA_VISIBLE_DEVICES));
`;

/** A stage of such a project, in YAML. */
export const stage = (name: string, what = 'write', more = ''): string =>
  `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}]${more} }\n`;

/** A stage that waits, and one that reads it. Names differ, since the tests share a cluster. */
export const chain = (name: string): string =>
  stage(name, 'wait') + stage(`after-${name}`, 'write', `, inputs: [artifacts/${name}]`);

/** A small project that runs on a cluster. */
export class SlurmProject extends CliProject {
  #environment: Readonly<Record<string, string>> = {};

  /** @param stages the pipeline's stages, in YAML; each runs `tool.mjs` */
  static async on(cluster: SlurmCluster, stages: string, settings = fastSettings): Promise<SlurmProject> {
    const project = await SlurmProject.empty(cluster);
    await project.write('pipeline.yaml', `version: 1\nstages:\n${stages}`);
    await project.write('configs/executors/slurm.yaml', settings);
    await project.write('counts/README', '');
    await project.write('tool.mjs', tool);
    return project;
  }

  /** Without any files. It is in the cluster's folder, and goes with that: tests run at the same time. */
  static async empty(cluster: SlurmCluster): Promise<SlurmProject> {
    const project = new SlurmProject(await fs.mkdtemp(path.join(cluster.folder, 'project-')));
    project.#environment = cluster.environment;
    return project;
  }

  override call(words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
    return super.call(words, { ...this.#environment, ...env });
  }

  /** Puts a shell script in the place of one of Slurm's programs, which it finds as `$real`. */
  async shadow(program: string, script: string): Promise<void> {
    const real = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
    await this.write(`bin/${program}`, `#!/bin/sh\nreal=${real}\n${script}`);
    await fs.chmod(this.at('bin', program), 0o755);
    this.#environment = { ...this.#environment, PATH: `${this.at('bin')}:${process.env.PATH}` };
  }

  /** `repro run --executor slurm` with more words. */
  run(...words: string[]) {
    return this.call(['run', '--executor', 'slurm', ...words]);
  }

  /** Waits until a stage has started this often. */
  async waitForCount(name: string, times = 1): Promise<void> {
    await vi.waitFor(
      () => {
        if (this.count(name) < times) throw new Error(`${name} has run ${this.count(name)} times`);
      },
      { timeout: 60_000, interval: 20 },
    );
  }

  /** Lets stages that wait end. */
  go(): Promise<void> {
    return this.write('go', '');
  }
}
