import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { acquireLock, type Lock } from '../../src/base/files/lock.ts';
import { killIfRunning } from '../support/processes.ts';

/** Tests of another checkout on this machine may have a cluster. */
const startedWithinMs = 240_000;

/** As Slurm knows this machine. */
export const hostName = os.hostname().split('.', 1)[0] ?? 'localhost';
const daemons = ['slurmctld', 'slurmd'].map((name) => findProgram(name));

/** Why there can be no cluster here; null if there can. */
export const noSlurm =
  process.platform !== 'linux'
    ? 'Slurm needs Linux'
    : daemons.includes(null)
      ? 'needs Debian packages slurm-wlm and slurm-client'
      : process.getuid?.() === 0
        ? null
        : 'the daemons need root';

export function findProgram(name: string): string | null {
  return (
    ['/usr/sbin', '/usr/bin', '/sbin']
      .map((folder) => path.join(folder, name))
      .find((file) => existsSync(file)) ?? null
  );
}

export async function findFreePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts what a cluster needs besides its own daemons.
 *
 * @param add is told each daemon, to be stopped in the opposite order
 * @returns lines of slurm.conf
 */
type Prepare = (
  folder: string,
  add: (name: string, child: ChildProcess) => void,
) => Promise<readonly string[]>;

/**
 * A cluster of a node with 16 cores and two GPUs, and another for those who ask for it, all of it pretence, which Slurm's own daemons run in
 * a temporary folder.
 */
export class SlurmCluster {
  readonly folder: string;
  readonly #daemons = new Map<string, ChildProcess>();
  readonly #lock: Lock;

  private constructor(folder: string, lock: Lock) {
    this.folder = folder;
    this.#lock = lock;
  }

  /** @param prepare starts what Slurm needs, given the cluster's folder, and says what slurm.conf needs for it */
  static async start(prepare?: Prepare): Promise<SlurmCluster> {
    // Programs find the daemons' sockets for authentication in one place (/run/slurmctld, /run/slurm): one cluster at a time.
    const lock = await vi.waitFor(() => acquireLock(path.join(os.tmpdir(), 'repro-slurm.lock')), {
      timeout: startedWithinMs,
      interval: 500,
    });
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-slurm-'));
    const cluster = new SlurmCluster(folder, lock);
    try {
      await cluster.#configure(prepare);
      await cluster.startController();
      await cluster.#startNodes();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get environment(): Record<string, string> {
    return { SLURM_CONF: path.join(this.folder, 'slurm.conf') };
  }

  /** Runs one of Slurm's commands, which must succeed. */
  async ask(program: string, ...words: string[]): Promise<string> {
    const { stdout } = await execa(program, words, { env: this.environment, stdin: 'ignore' });
    return stdout;
  }

  /** `state reason` of all jobs whose name begins so, in the order of their ids. */
  async jobsOf(stage: string): Promise<string[]> {
    const text = await this.ask('squeue', '--noheader', '--states=all', '--format=%i %j %T %r');
    return text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, name = '']) => name.startsWith(`${stage}.`))
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, , ...said]) => said.join(' '));
  }

  /** Waits until the jobs of a stage are as expected: a job may still be ending when its result is there. */
  expectJobs(stage: string, expected: readonly RegExp[], timeout = 30_000): Promise<void> {
    const matching = expected.map((pattern) => expect.stringMatching(pattern));
    return vi.waitFor(async () => expect(await this.jobsOf(stage)).toEqual(matching), {
      timeout,
      interval: 100,
    });
  }

  /** The id of the running job of a stage. */
  async findRunning(stage: string): Promise<string> {
    const text = await this.ask('squeue', '--noheader', '--states=RUNNING', '--format=%i %j');
    const [, id] = new RegExp(`^(\\S+) ${stage}\\.`, 'm').exec(text) ?? [];
    if (id === undefined) throw new Error(`no job of ${stage} runs: ${text}`);
    return id;
  }

  /**
   * Lets a job that was put back into the queue start in two seconds, rather than after Slurm's pause of two minutes. Within the same second
   * its node would still refuse it: "Job credential revoked".
   */
  async releaseRequeued(job: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const state = await this.ask('squeue', '--noheader', `--jobs=${job}`, '--format=%T');
        if (state !== 'PENDING') throw new Error(`job ${job} is ${state}`);
      },
      { timeout: 20_000, interval: 50 },
    );
    await this.ask('scontrol', 'update', `JobId=${job}`, 'StartTime=now+2');
  }

  /** Takes the node out of service, which ends its jobs, and back into it. */
  async failNode(): Promise<void> {
    const update = (...words: string[]) => this.ask('scontrol', 'update', `NodeName=${hostName}`, ...words);
    await update('State=DOWN', 'Reason=test');
    // Unless its daemon has registered meanwhile, and it is back already.
    await update('State=RESUME').catch(async (error: unknown) => {
      const state = await this.ask('sinfo', '--noheader', '--format=%T');
      if (/down|drain/i.test(state)) throw error;
    });
  }

  startController(): Promise<void> {
    return this.#startDaemon('slurmctld', ['-D']);
  }

  async stopController(): Promise<void> {
    await this.#end('slurmctld');
  }

  /** Ends the jobs, then each daemon by its pid, then what a job may have left behind. */
  async stop(): Promise<void> {
    if (this.#daemons.has('slurmd')) {
      const user = String(process.getuid?.());
      await execa('scancel', ['--user', user], { env: this.environment, reject: false, timeout: 10_000 });
      await vi
        .waitFor(
          async () => {
            const text = await this.ask('squeue', '--noheader', '--states=RUNNING,COMPLETING');
            if (text !== '') throw new Error('jobs still run');
          },
          { timeout: 10_000, interval: 100 },
        )
        .catch(() => {});
    }
    for (const name of [...this.#daemons.keys()].reverse()) await this.#end(name);
    for (const pid of this.#listOwnProcesses()) killIfRunning(pid);
    await this.#lock.release();
    await fs.rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #configure(prepare: Prepare | undefined): Promise<void> {
    const at = (name: string): string => path.join(this.folder, name);
    const [controller, node, second] = [await findFreePort(), await findFreePort(), await findFreePort()];
    for (const name of ['state', `spool-${hostName}`, 'spool-second']) await fs.mkdir(at(name));
    await fs.writeFile(at('slurm.key'), randomBytes(1024), { mode: 0o600 });
    // Character devices that stand for GPUs: nobody opens them.
    for (const name of ['gpu0', 'gpu1']) execFileSync('mknod', [at(name), 'c', '1', '3']);
    const gres = [`gpu File=${at('gpu')}[0-1]`, 'slot Count=1'].map(
      (one) => `NodeName=${hostName} Name=${one}\n`,
    );
    await fs.writeFile(at('gres.conf'), gres.join(''));
    await fs.writeFile(at('cgroup.conf'), 'CgroupPlugin=disabled\n');
    const lines = [
      'ClusterName=test',
      `SlurmctldHost=${hostName}`,
      'AuthType=auth/slurm',
      'CredType=auth/slurm',
      'SlurmUser=root',
      'SlurmdUser=root',
      `SlurmctldPort=${controller}`,
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool-%n')}`,
      `SlurmctldPidFile=${at('slurmctld.pid')}`,
      `SlurmdPidFile=${at('slurmd-%n.pid')}`,
      `SlurmctldLogFile=${at('slurmctld.log')}`,
      `SlurmdLogFile=${at('slurmd-%n.log')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'JobAcctGatherType=jobacct_gather/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_CPU',
      'GresTypes=gpu,slot',
      'SlurmdParameters=config_overrides',
      'ReturnToService=2',
      'MinJobAge=3600',
      'KillWait=5',
      'MessageTimeout=2',
      // Jobs start as soon as they can, rather than at the next of a busy controller's rounds.
      'SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0',
      `NodeName=${hostName} Port=${node} CPUs=16 RealMemory=64000 Gres=gpu:2,slot:1 State=UNKNOWN`,
      `NodeName=second NodeHostname=${hostName} Port=${second} CPUs=16 RealMemory=64000 State=UNKNOWN`,
      'PartitionName=both Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1',
      `PartitionName=main Nodes=${hostName} Default=YES MaxTime=INFINITE State=UP PriorityTier=1`,
      `PartitionName=yielding Nodes=${hostName} MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE`,
      // Its jobs put an end to those of the others.
      `PartitionName=urgent Nodes=${hostName} MaxTime=INFINITE State=UP PriorityTier=9`,
      'PreemptType=preempt/partition_prio',
      'PreemptMode=CANCEL',
    ];
    await fs.writeFile(at('slurm.conf'), `${lines.join('\n')}\n`);
    const more = (await prepare?.(this.folder, (name, child) => this.#daemons.set(name, child))) ?? [];
    await fs.appendFile(at('slurm.conf'), more.map((line) => `${line}\n`).join(''));
  }

  async #startDaemon(name: string, words: readonly string[], key = name): Promise<void> {
    const child = spawn(findProgram(name) ?? name, words, {
      // Where a daemon that crashes at its end leaves its memory.
      cwd: this.folder,
      env: { ...process.env, ...this.environment },
      stdio: 'ignore',
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    this.#daemons.set(key, child);
    if (name === 'slurmctld') {
      await vi.waitFor(() => this.ask('scontrol', 'ping'), { timeout: 20_000, interval: 50 });
    }
  }

  /** A controller that is busy when a node registers may lose it, and would ask it again only minutes later: then the node starts again. */
  async #startNodes(attempts = 4): Promise<void> {
    await this.#startDaemon('slurmd', ['-D', '-N', hostName]);
    await this.#startDaemon('slurmd', ['-D', '-N', 'second'], 'slurmd-second');
    try {
      await vi.waitFor(() => this.#assertIdle(), { timeout: 20_000, interval: 50 });
    } catch (error) {
      if (attempts === 1) throw error;
      await this.#end('slurmd');
      await this.#end('slurmd-second');
      await this.#startNodes(attempts - 1);
    }
  }

  async #end(name: string): Promise<void> {
    const child = this.#daemons.get(name);
    this.#daemons.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }

  async #assertIdle(): Promise<void> {
    const state = await this.ask('sinfo', '--noheader', '--Node', '--format=%T');
    if (/^(?!idle$)/m.test(state)) throw new Error(`the node is ${state}: ${this.#logs()}`);
  }

  #logs(): string {
    return ['slurmctld.log', `slurmd-${hostName}.log`, 'slurmd-second.log']
      .map((name) => path.join(this.folder, name))
      .map((file) => (existsSync(file) ? readFileSync(file, 'utf8').slice(-1000) : ''))
      .join('\n');
  }

  /** Processes that were started with this cluster's configuration. */
  #listOwnProcesses(): number[] {
    const wanted = `SLURM_CONF=${this.environment.SLURM_CONF}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted);
        } catch {
          return false;
        }
      })
      .map(Number);
  }
}

let running: SlurmCluster | null = null;

/** Starts a cluster before the tests of a suite, and stops it after them, however they end. */
export function useCluster(prepare?: Prepare): void {
  beforeAll(async () => {
    running = await SlurmCluster.start(prepare);
  }, startedWithinMs);
  afterAll(async () => {
    await running?.stop();
    running = null;
  });
}

/** The cluster of the suite that runs. */
export function cluster(): SlurmCluster {
  if (running === null) throw new Error('no cluster was started');
  return running;
}
