import { execa } from 'execa';
import { ReproError } from '../../../base/errors.ts';

/** What Slurm says about one job. */
export interface JobStatus {
  /** Slurm's word, such as `PENDING` or `OUT_OF_MEMORY`; {@link forgotten} if it no longer knows the job. */
  readonly state: string;
  /** Why it waits, or why it ended; null if Slurm does not say. */
  readonly reason: string | null;
  readonly node: string | null;
}

/** The state of a job that neither the queue nor accounting has. */
export const forgotten = 'FORGOTTEN';

const endedStates: ReadonlySet<string> = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'NODE_FAIL',
  'PREEMPTED',
  'OUT_OF_MEMORY',
  'BOOT_FAIL',
  'DEADLINE',
  'REVOKED',
  forgotten,
]);

/** Whether a job has ended for good; not if Slurm did not answer. A word that is not known here may be that of a job at work. */
export function isOver(status: JobStatus | null): status is JobStatus {
  return status !== null && endedStates.has(status.state);
}

/** Whether it occupies a node now. */
export function isOnNode({ state }: Pick<JobStatus, 'state'>): boolean {
  return !endedStates.has(state) && !state.startsWith('RE') && !['PENDING', 'SPECIAL_EXIT'].includes(state);
}

/**
 * The answer of one of Slurm's commands. `unknown`: the controller did not answer in time, so nothing is known about the jobs, nor whether
 * the request was carried out.
 */
interface SlurmAnswer {
  readonly kind: 'ok' | 'refused' | 'unknown';
  readonly text: string;
}

/** Jobs in any state, also those in partitions that the site hides. */
const wholeQueue = ['--all', '--noheader', '--states=all'];

const accounts = ['--allocations', '--noheader', '--parsable2'];

/** One cluster, through Slurm's commands. All of them throw a {@link ReproError} `slurm-missing` where they are not installed. */
export class Slurm {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** @throws {ReproError} `slurm-unreachable` */
  static async connect(environment: NodeJS.ProcessEnv): Promise<Slurm> {
    const slurm = new Slurm(environment);
    const { kind, text } = await slurm.#ask('scontrol', ['show', 'config']);
    if (kind !== 'ok') throw unanswered(text);
    return slurm;
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
   * Looks for a submission in the queue and, if it has left that, in accounting.
   *
   * @param name its own, which no other job has
   * @returns its id; '' if neither knows the name
   */
  async findJob(name: string): Promise<SlurmAnswer> {
    const words = { squeue: [...wholeQueue, '--format=%i'], sacct: [...accounts, '--format=JobID'] };
    const queue = await this.#ask('squeue', [...words.squeue, `--name=${name}`]);
    const isThere = queue.kind !== 'ok' || /\d/.test(queue.text);
    const answer = isThere
      ? queue
      : await this.#ask('sacct', [...words.sacct, '--starttime=now-7days', `--name=${name}`]);
    return answer.kind === 'ok' ? { kind: 'ok', text: /\d+/.exec(answer.text)?.[0] ?? '' } : answer;
  }

  /** Puts the job back into the queue, which ends it. */
  requeue(job: string): Promise<SlurmAnswer> {
    return this.#ask('scontrol', ['requeue', job]);
  }

  /** The states of jobs, through one call for all of them: from the queue and, for jobs that have left it, from accounting. */
  async readStates(jobs: readonly string[]): Promise<{
    /** null: Slurm did not answer. */
    readonly stateOf: (job: string) => JobStatus | null;
    /** What was said instead of an answer; null if all answered. */
    readonly problem: string | null;
  }> {
    const states = new Map<string, JobStatus>();
    const read = async (program: 'squeue' | 'sacct', words: readonly string[]): Promise<string | null> => {
      const rest = jobs.filter((job) => !states.has(job));
      if (rest.length === 0) return null;
      const { kind, text } = await this.#ask(program, [...words, `--jobs=${rest.join(',')}`]);
      if (kind === 'ok') for (const [job, status] of parseStates(text)) states.set(job, status);
      // All are unknown: if Slurm knows some, it reports those.
      return kind === 'ok' || /invalid job id/i.test(text) ? null : `${program}: ${text}`;
    };
    const problem =
      (await read('squeue', [...wholeQueue, '--format=%i|%T|%N|%r'])) ??
      (await read('sacct', [...accounts, '--format=JobID,State,NodeList,ExitCode']));
    const unknown = { state: forgotten, reason: null, node: null };
    return { stateOf: (job) => states.get(job) ?? (problem === null ? unknown : null), problem };
  }

  /**
   * Cancels jobs. It is not an error if some have already ended.
   *
   * @param options `--state=PENDING` leaves running jobs alone
   * @throws {ReproError} `slurm-unreachable`, `slurm-refused`
   */
  async cancel(jobs: readonly string[], ...options: readonly '--state=PENDING'[]): Promise<void> {
    if (jobs.length === 0) return;
    const { kind, text } = await this.#ask('scancel', [...options, ...jobs]);
    if (kind === 'unknown') throw unanswered(text);
    const over = /already completing or completed|invalid job id/i;
    const problems = text.split('\n').filter((line) => line !== '' && !over.test(line));
    if (kind === 'ok' || problems.length === 0) return;
    throw new ReproError('slurm-refused', `Slurm refuses to cancel\n  ${problems.join('\n  ')}`, {
      fix: 'Only the user who submitted a job can cancel it.',
    });
  }

  async #ask(
    program: 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol',
    words: readonly string[],
  ): Promise<SlurmAnswer> {
    const result = await execa(program, words, {
      env: withoutDefaults(this.#environment),
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
    const errors = result.stderr.trim();
    // Without accounts, nothing is known but what the queue says.
    const hasNoAccounts = result.code === 'ENOENT' || /accounting storage is disabled/i.test(errors);
    if (program === 'sacct' && hasNoAccounts) return { kind: 'ok', text: '' };
    if (result.code === 'ENOENT') {
      throw new ReproError('slurm-missing', `\`${program}\` is not a program on this machine's PATH`, {
        fix: 'Run it on a login node of the cluster, or load its module; --dry-run prints the scripts without Slurm.',
      });
    }
    if (result.timedOut) return { kind: 'unknown', text: `${program} did not answer in time` };
    if (result.exitCode === 0) return { kind: 'ok', text: result.stdout };
    const text =
      errors === '' ? `${program} ended with ${result.signal ?? `code ${result.exitCode}`}` : errors;
    return { kind: result.signal !== undefined || noAnswer.test(errors) ? 'unknown' : 'refused', text };
  }
}

/** The error of a command that needs the controller. */
export function unanswered(said: string): ReproError {
  return new ReproError('slurm-unreachable', `Slurm's controller does not answer: ${said}`, {
    fix: 'Submitted jobs continue without it. Check that it is up again (scontrol ping), then repeat the command.',
  });
}

/** A busy controller needs many seconds; after this it counts as down. */
const answerWithinMs = 60_000;

/** What Slurm's commands print if the controller cannot be reached or is too busy. */
const noAnswer =
  /unable to contact|socket timed out|connection (refused|timed out|failure|reset)|not responding|zero bytes were transmitted|communication (connection|error)|resource temporarily unavailable|slurmctld.*(down|standby)|in standby mode|protocol authentication error|unexpected message received|failed to fetch config|slurm_persist_conn_open|try again later/i;

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

/**
 * Reads lines of `12|RUNNING|node7|reason`; accounting gives `exit code:signal` as the reason. Lines of another form are skipped: a
 * job that is not there need not have ended.
 */
function* parseStates(text: string): Generator<[job: string, JobStatus]> {
  for (const line of text.split('\n')) {
    const [job = '', said = '', node = '', ...reason] = line.trim().split('|');
    // `CANCELLED by 1000`.
    const [state = ''] = said.split(' ');
    if (!/^\d+$/.test(job) || !/^[A-Z_]+$/.test(state)) continue;
    // As the queue says it.
    const why = reason.join('|').replace(/^0:(?=[1-9])/, 'RaisedSignal:');
    yield [job, { state, reason: readCell(why), node: readCell(node) }];
  }
}

function readCell(text: string): string | null {
  return ['', 'None', '(null)', 'N/A', 'None assigned', '0:0'].includes(text) ? null : text;
}

/**
 * The error of a refused submission.
 *
 * @param where what was requested is written
 */
export function explainSubmission(said: string, where: string): ReproError {
  const text = said.replaceAll(/^sbatch: (error: )?/gm, '').trim();
  return new ReproError(
    'slurm-refused',
    `Slurm refuses the job\n  sbatch: ${text.replaceAll('\n', '\n  sbatch: ')}`,
    {
      where,
      fix:
        'Correct what it names. Partitions and their limits: sinfo -o "%R %l %G"; accounts and qos: ' +
        'sacctmgr show associations user=$USER format=account,partition,qos. If this node may not submit jobs, run without --detach on a ' +
        'login node, in tmux or with nohup.',
    },
  );
}

/** Whether it was refused because a user, account or qos has reached its limit of submitted jobs, which passes. */
export function isLimitReached(said: string): boolean {
  return /(qos|assoc)(max|grp)\w*submit\w*limit/i.test(said);
}
