import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect, type TestContext, vi } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';
import { tool } from './slurm-project.ts';

const patience = { timeout: 40_000, interval: 20 };

/** Writes a file in one step: whoever reads it meanwhile must not find it empty. */
const put = 'put() { echo "$1" > "$2.$BASHPID"; mv "$2.$BASHPID" "$2"; }\n';

/** Accepts scripts and runs each, unless a file says otherwise. */
const sbatch = `script=$2
echo "$script" >> "$FAKE/asked"
refuse() { echo "sbatch: error: $1" >&2; exit 1; }
[ -e "$FAKE/full" ] && refuse 'QOSMaxSubmitJobPerUserLimit
sbatch: error: Batch job submission failed: Job violates accounting/QOS policy'
name=$(sed -n 's/^#SBATCH --job-name=//p' "$script")
case $name in "$(cat "$FAKE/refuses" 2>/dev/null)".*) refuse 'Batch job submission failed: Invalid qos specification';; esac
id=$(ls "$FAKE/jobs" | wc -l); id=$((id + 101)); job=$FAKE/jobs/$id; mkdir "$job"
cp "$script" "$job/script"; echo "$name" > "$job/name"; put PENDING "$job/state"; put None "$job/reason"
out=$(sed -n 's/^#SBATCH --output=//p' "$script" | tr -d '"')
export job id out; export -f put
setsid bash -c '
echo $$ > "$job/group"
echo node1 > "$job/node"
put RUNNING "$job/state"
env -i PATH=/usr/bin:/bin SLURM_JOB_ID=$id bash "$job/script" >> "$out" 2>&1
code=$?
[ "$(cat "$job/state")" = RUNNING ] || exit
[ $code = 0 ] || put NonZeroExitCode "$job/reason"
[ $code = 0 ] && put COMPLETED "$job/state" || put FAILED "$job/state"
' </dev/null >/dev/null 2>&1 &
until [ -e "$job/group" ]; do sleep 0.01; done
[ -e "$FAKE/loses" ] && { touch "$FAKE/down"; refuse 'Batch job submission failed: Socket timed out on send/recv operation'; }
echo "$id"
`;

const squeue = `for word; do case $word in --jobs=*) ids=,\${word#--jobs=},;; --name=*) name=\${word#--name=};; esac; done
for job in "$FAKE"/jobs/*; do
  id=\${job##*/}
  [ "$(cat "$job/name" 2>/dev/null)" = "$name" ] && echo "$id"
  case $ids in *,$id,*) echo "$id|$(cat "$job/state")|$(cat "$job/node" 2>/dev/null)|$(cat "$job/reason")";; esac
done
`;

const scancel = `echo "$*" >> "$FAKE/cancelled"
running=RUNNING; [ "$1" = --state=PENDING ] && running=
for id; do
  job=$FAKE/jobs/$id
  case $(cat "$job/state" 2>/dev/null) in PENDING|$running) put CANCELLED "$job/state"; kill -TERM -- -$(cat "$job/group");; esac
done
exit 0
`;

const sacct = 'echo "Slurm accounting storage is disabled" >&2; exit 1\n';

const scontrol = 'echo "ClusterName = stand-in"\n';

/** A project, and shell scripts that stand for Slurm, for what a real one cannot be made to do at a given moment. */
export class StandInSlurm extends CliProject {
  readonly folder: string;

  private constructor(root: string, folder: string) {
    super(root);
    this.folder = folder;
  }

  /**
   * @param onTestFinished of the test: beside others, only itself knows which it is
   * @param stages the pipeline's stages, in YAML; each runs `tool.mjs`
   */
  static async with(onTestFinished: TestContext['onTestFinished'], stages: string): Promise<StandInSlurm> {
    const base = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'repro-stand-in-')));
    onTestFinished(() => fs.rm(base, { recursive: true, force: true, maxRetries: 3 }));
    const folder = path.join(base, 'slurm');
    await fs.mkdir(path.join(folder, 'jobs'), { recursive: true });
    for (const [name, script] of Object.entries({ sbatch, squeue, sacct, scancel, scontrol })) {
      const down = `[ -e "$FAKE/down" ] && { echo '${name}: error: Unable to contact slurm controller (connect failure)' >&2; exit 1; }\n`;
      await fs.writeFile(path.join(folder, name), `#!/bin/bash\n${put}${down}${script}`, { mode: 0o755 });
    }
    const project = new StandInSlurm(path.join(base, 'project'), folder);
    // Before the folder goes.
    onTestFinished(() => project.#killAll());
    await project.write('pipeline.yaml', `version: 1\nstages:\n${stages}`);
    await project.write('configs/executors/slurm.yaml', 'poll: 0.3s\npatience: 2s\n');
    await project.write('counts/README', '');
    await project.write('tool.mjs', tool);
    return project;
  }

  override call(words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
    return super.call(words, { PATH: `${this.folder}:${process.env.PATH}`, FAKE: this.folder, ...env });
  }

  /** `repro run --executor slurm` with more words. */
  run(...words: string[]) {
    const running = this.call(['run', '--executor', 'slurm', ...words]);
    let text = '';
    running.stderr.on('data', (chunk) => {
      text += chunk;
    });
    return {
      ended: running,
      interrupt: () => running.kill('SIGINT'),
      /** Waits until it has said something. */
      says: (pattern: RegExp) =>
        vi.waitFor(() => {
          if (!pattern.test(text)) throw new Error(`no ${pattern} in: ${text}`);
        }, patience),
    };
  }

  /** From now on: `down`, `loses` (the answer of sbatch, and is down), `full`, `refuses` (this stage). */
  async tell(what: string, value = ''): Promise<void> {
    await fs.writeFile(path.join(this.folder, what), value);
  }

  async untell(what: string): Promise<void> {
    await fs.rm(path.join(this.folder, what), { force: true });
  }

  /** `101 RUNNING`, in the order of submission. */
  get jobs(): string[] {
    return readdirSync(path.join(this.folder, 'jobs')).map(
      (id) => `${id} ${this.#read('jobs', id, 'state')}`,
    );
  }

  /** How often sbatch was called. */
  get askedTimes(): number {
    return this.#read('asked').split('\n').filter(Boolean).length;
  }

  /** What was cancelled. */
  get cancelled(): string {
    return this.#read('cancelled');
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean): Promise<void> {
    await vi.waitFor(() => {
      if (!condition()) throw new Error(`${condition}: ${JSON.stringify(this.jobs)}`);
    }, patience);
  }

  /** Waits until the jobs are these, in these states: one may still be ending when its result is there. */
  async expectJobs(expected: readonly string[]): Promise<void> {
    await vi.waitFor(() => expect(this.jobs).toEqual(expected), patience);
  }

  #read(...names: string[]): string {
    try {
      return readFileSync(path.join(this.folder, ...names), 'utf8').trim();
    } catch {
      return '';
    }
  }

  #killAll(): void {
    for (const id of readdirSync(path.join(this.folder, 'jobs'))) {
      try {
        process.kill(-Number(this.#read('jobs', id, 'group')), 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  }
}
