import { execa } from 'execa';
import { ReproError } from '../../errors.ts';
import {
  accountingFormat,
  type JobStatus,
  type JobTable,
  noAnswer,
  parseAccounting,
  parseQueue,
  queueFormat,
} from './job-state.ts';

/** What Slurm knows of a job; `absent`: nothing; null: it did not answer. */
type KnownState = JobStatus | 'absent' | null;

/**
 * The answer of one of Slurm's commands. `unknown`: the controller did not answer in time, so nothing is known about the jobs, nor whether
 * the request was carried out.
 */
type SlurmAnswer = { readonly kind: 'ok' | 'refused' | 'unknown'; readonly text: string };

/** Jobs in any state, also those in partitions that the site hides. */
const wholeQueue = ['--all', '--noheader', '--states=all'];

/** One cluster, through Slurm's commands. */
export class Slurm {
  readonly #environment: NodeJS.ProcessEnv;
  /** Whether jobs that have left the queue can be asked for. */
  readonly #hasAccounting: boolean;

  constructor(environment: NodeJS.ProcessEnv, hasAccounting = false) {
    this.#environment = environment;
    this.#hasAccounting = hasAccounting;
  }

  /** Asks how the cluster is set up. @throws {ReproError} `slurm-missing`, `slurm-unreachable` */
  static async connect(environment: NodeJS.ProcessEnv): Promise<Slurm> {
    const { kind, text } = await askSlurm('scontrol', ['show', 'config'], environment);
    if (kind !== 'ok') throw unreachable(text);
    return new Slurm(environment, /^AccountingStorageType\s*=.*slurmdbd/m.test(text));
  }

  /** Submits a script. @returns the job's id if it was accepted */
  async submit(scriptFile: string): Promise<SlurmAnswer> {
    const answer = await this.#ask('sbatch', ['--parsable', scriptFile]);
    if (answer.kind !== 'ok') return answer;
    // `12`, or `12;cluster`.
    const id = /^(\d+)(;|$)/m.exec(answer.text)?.[1];
    return id === undefined
      ? { kind: 'unknown', text: `sbatch answered ${JSON.stringify(answer.text)}, which names no job` }
      : { kind: 'ok', text: id };
  }

  /**
   * The id of a submitted job, or of the array, from the queue or, if it has left that, from accounting; null if neither knows the name.
   *
   * @param name its own, which no other job has
   */
  async findJob(name: string): Promise<{ readonly id: string | null } | { readonly problem: string }> {
    const queue = await this.#ask('squeue', [...wholeQueue, `--name=${name}`, '--format=%F']);
    if (queue.kind !== 'ok') return { problem: queue.text };
    const [id] = /\d+/.exec(queue.text) ?? [];
    if (id !== undefined || !this.#hasAccounting) return { id: id ?? null };
    const words = ['--allocations', '--noheader', '--parsable2', '--format=JobID', '--starttime=now-7days'];
    const past = await this.#ask('sacct', [...words, `--name=${name}`]);
    return past.kind === 'ok' ? { id: /\d+/.exec(past.text)?.[0] ?? null } : { problem: past.text };
  }

  /** Puts the job back into the queue, which ends it. */
  requeue(job: string): Promise<SlurmAnswer> {
    return this.#ask('scontrol', ['requeue', job]);
  }

  /**
   * The states of jobs, through one call for all of them: from the queue and, for jobs that have left it, from accounting if the cluster
   * keeps accounts.
   */
  async readStates(jobs: readonly string[]): Promise<{
    readonly stateOf: (job: string) => KnownState;
    /** What was said instead of an answer; null if all answered. */
    readonly problem: string | null;
  }> {
    const format = `--Format=${queueFormat}`;
    const queue = await this.#read('squeue', [...wholeQueue, '--array', format], jobs, parseQueue);
    const gone = jobs.filter((job) => queue.table?.has(job) === false);
    const words = ['--allocations', '--array', '--noheader', '--parsable2', `--format=${accountingFormat}`];
    const past = await this.#read('sacct', words, this.#hasAccounting ? gone : [], parseAccounting);
    return {
      stateOf: (job) =>
        queue.table?.get(job) ??
        (queue.table === null || past.table === null ? null : (past.table.get(job) ?? 'absent')),
      problem: queue.problem ?? past.problem,
    };
  }

  async #read(
    program: 'squeue' | 'sacct',
    words: readonly string[],
    jobs: readonly string[],
    parse: (text: string) => JobTable,
  ): Promise<{ readonly table: JobTable | null; readonly problem: string | null }> {
    if (jobs.length === 0) return { table: new Map(), problem: null };
    // The ids of jobs or of the arrays that tasks belong to, each once.
    const ids = [...new Set(jobs.map((job) => job.split('_', 1)[0] ?? job))];
    const { kind, text } = await this.#ask(program, [...words, `--jobs=${ids.join(',')}`]);
    if (kind === 'ok') return { table: parse(text), problem: null };
    // All are unknown: if Slurm knows some, it reports those.
    const areUnknown = /invalid job id/i.test(text);
    return areUnknown ? { table: new Map(), problem: null } : { table: null, problem: `${program}: ${text}` };
  }

  /**
   * Cancels jobs, or tasks of arrays. Those that have ended already are no error.
   *
   * @param options `--state=PENDING` leaves running jobs alone
   * @throws {ReproError} `slurm-unreachable`, `slurm-refused`
   */
  async cancel(jobs: readonly string[], ...options: readonly '--state=PENDING'[]): Promise<void> {
    if (jobs.length === 0) return;
    const { kind, text } = await this.#ask('scancel', [...options, ...jobs]);
    if (kind === 'ok') return;
    if (kind === 'unknown') throw unreachable(text);
    const isNone = (line: string): boolean =>
      /already completing or completed|invalid job id|^\s*$/i.test(line);
    const problems = text.split('\n').filter((line) => !isNone(line));
    if (problems.length === 0) return;
    throw new ReproError('slurm-refused', `Slurm refuses to cancel\n  ${problems.join('\n  ')}`, {
      fix: 'Only the user who submitted a job can cancel it.',
    });
  }

  #ask(program: Parameters<typeof askSlurm>[0], words: readonly string[]): Promise<SlurmAnswer> {
    return askSlurm(program, words, this.#environment);
  }
}

/** The error of a command that needs the controller. */
export function unreachable(said: string): ReproError {
  return new ReproError('slurm-unreachable', `Slurm's controller does not answer: ${said}`, {
    fix: 'Submitted jobs continue without it. Check that it is up again (scontrol ping), then repeat the command.',
  });
}

/** A busy controller needs many seconds; after this it counts as down. */
const answerWithinMs = 60_000;

/**
 * Runs one of Slurm's commands.
 *
 * @throws {ReproError} `slurm-missing` if this machine does not have it
 */
async function askSlurm(
  program: 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol',
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<SlurmAnswer> {
  const result = await execa(program, words, {
    env: withoutDefaults(environment),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: answerWithinMs,
    killSignal: 'SIGKILL',
    // A terminal's Ctrl-C must reach only the runner, which lets a submission finish.
    detached: true,
    cleanup: false,
    stripFinalNewline: true,
  });
  if (result.code === 'ENOENT') {
    throw new ReproError('slurm-missing', `\`${program}\` is not a program on this machine's PATH`, {
      fix: 'Run it on a login node of the cluster, or load its module; --dry-run prints the scripts without Slurm.',
    });
  }
  const errors = result.stderr.trim();
  if (result.timedOut) return { kind: 'unknown', text: `${program} did not answer in time` };
  if (result.exitCode === 0) return { kind: 'ok', text: result.stdout };
  const text = errors === '' ? `${program} ended with ${result.signal ?? `code ${result.exitCode}`}` : errors;
  return { kind: result.signal !== undefined || noAnswer.test(errors) ? 'unknown' : 'refused', text };
}

/**
 * Drops variables that would override the script or the arguments: Slurm prefers them to directives, and filters would hide jobs. A runner
 * inside a job would pass on the limits of that job.
 */
function withoutDefaults(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(environment).filter(
    ([name]) => name === 'SLURM_CONF' || !/^(SLURM|SBATCH|SQUEUE|SACCT|SCANCEL|SCONTROL|SINFO)_/.test(name),
  );
  // Messages are parsed, so they must be in English.
  return { ...Object.fromEntries(others), LC_ALL: 'C' };
}

/** Settings that sbatch often refuses: what it prints -> what is wrong, how to fix it, and the keys concerned. */
const refusals: readonly (readonly [said: RegExp, text: string, fix: string, keys: readonly RequestKey[]])[] =
  [
    [
      /invalid partition/i,
      'this cluster has no such partition, or you may not use it',
      'Set `partition` to one of these: sinfo -o "%R %l %G"',
      ['partition'],
    ],
    [
      /invalid account|account\/partition combination/i,
      'you may not use this account there',
      'Set `account` to one of yours: sacctmgr show associations user=$USER format=account,partition,qos',
      ['account', 'partition'],
    ],
    [/invalid qos/i, 'you may not use this qos there', 'sacctmgr show qos lists them.', ['qos']],
  ];

export type RequestKey = 'partition' | 'account' | 'qos';

/** Explains a refused submission. @param placeOf where the first of some keys that is set is written */
export function explainSubmission(
  said: string,
  placeOf: (keys: readonly RequestKey[]) => string,
): ReproError {
  const text = said.replaceAll(/^sbatch: (error: )?/gm, '').trim();
  const [, what, fix, keys] = refusals.find(([pattern]) => pattern.test(said)) ?? [
    /./,
    'Slurm refuses the job',
    'Correct what it says in configs/executors/slurm.yaml or `resources:`. If this node may not submit jobs, run without --detach on a login node, in tmux or with nohup.',
    [],
  ];
  return new ReproError('slurm-refused', `${what}\n  sbatch: ${text.replaceAll('\n', '\n  sbatch: ')}`, {
    where: placeOf(keys),
    fix,
  });
}

/** Whether it was refused because a user, account or qos has reached its limit of submitted jobs, which passes. */
export function isLimitReached(said: string): boolean {
  return /(qos|assoc)(max|grp)\w*submit\w*limit/i.test(said);
}
