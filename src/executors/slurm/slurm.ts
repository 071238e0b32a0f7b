import { execa } from 'execa';
import { ReproError } from '../../errors.ts';
import {
  accountingFormat,
  addExitCodes,
  exitCodeFormat,
  type JobStatus,
  type JobTable,
  lacksExitCode,
  noAnswer,
  parseAccounting,
  parseQueue,
  phaseOf,
  queueFormat,
} from './job-state.ts';

/** What the runner needs to know about a cluster. */
export interface ClusterFacts {
  readonly name: string;
  /** Indices of an array are below this. */
  readonly arraySize: number;
  readonly hasAccounting: boolean;
}

/** Jobs; or null if the controller did not answer, with what was said instead. */
type TableAnswer = { readonly table: JobTable } | { readonly table: null; readonly problem: string };

/**
 * The answer of one of Slurm's commands. `unknown`: the controller did not answer in time, so nothing is known about the jobs, nor whether
 * the request was carried out.
 */
type SlurmAnswer = { readonly kind: 'ok' | 'refused' | 'unknown'; readonly text: string };

/** Slurm's own default. */
const defaultArraySize = 1001;

/** Jobs in any state, also those in partitions that the site hides. */
const wholeQueue = ['--all', '--noheader', '--states=all'];

/** One cluster, through Slurm's commands. */
export class Slurm {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** @throws {ReproError} `slurm-missing`, `slurm-unreachable` */
  async describe(): Promise<ClusterFacts> {
    const answer = await this.#ask('scontrol', ['show', 'config']);
    if (/configuration source/i.test(answer.text)) {
      throw new ReproError('slurm-missing', "Slurm's commands are here, but find no cluster", {
        fix: 'Run it on a login node of the cluster; --dry-run prints the scripts without Slurm.',
      });
    }
    if (answer.kind !== 'ok') throw unreachable(answer.text);
    const read = (key: string): string =>
      new RegExp(`^${key}\\s*=\\s*(.*)$`, 'm').exec(answer.text)?.[1]?.trim() ?? '';
    return {
      name: read('ClusterName') || 'unnamed',
      arraySize: Number(read('MaxArraySize')) || defaultArraySize,
      hasAccounting: read('AccountingStorageType').includes('slurmdbd'),
    };
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
   * The ids of submitted jobs in any state; those that have not ended come first, then the earlier ones.
   *
   * @param comment tells them from other jobs of the same name; some sites replace it, so the name or the script is enough
   * @param scriptFile what was submitted
   */
  async findJobs(
    name: string,
    comment: string,
    scriptFile: string,
  ): Promise<{ readonly ids: readonly string[] } | { readonly problem: string }> {
    const words = [...wholeQueue, `--name=${name}`, '--format=%F|%T|%k|%o'];
    const answer = await this.#ask('squeue', words);
    if (answer.kind !== 'ok') return { problem: answer.text };
    const isOwnName = comment.endsWith(`:${name.split('.').at(-1) ?? ''}`);
    const hasEnded = ({ state }: { state: string }) => Number(phaseOf(state) === 'ended');
    const rows = [...answer.text.matchAll(/^\s*(\d+)\|(\w+)\|(.*)$/gm)]
      .map(([, id = '', state = '', said = '']) => ({ id, state, said: said.trim() }))
      .filter(({ said }) => isOwnName || said.split('|', 1)[0] === comment || said.endsWith(`|${scriptFile}`))
      .sort((a, b) => hasEnded(a) - hasEnded(b) || Number(a.id) - Number(b.id));
    return { ids: [...new Set(rows.map(({ id }) => id))] };
  }

  /** What the queue says about these jobs, named as by `nameJob`: one call for all of them. */
  async readQueue(jobs: readonly string[]): Promise<TableAnswer> {
    if (jobs.length === 0) return { table: new Map() };
    const answer = await this.#ask('squeue', [
      ...[...wholeQueue, '--array', `--format=${queueFormat}`],
      `--jobs=${idsOf(jobs).join(',')}`,
    ]);
    if (answer.kind === 'ok') return { table: await this.#withExitCodes(parseQueue(answer.text)) };
    // All are unknown: if Slurm knows some, it reports those.
    if (/invalid job id/i.test(answer.text)) return { table: new Map() };
    return { table: null, problem: answer.text };
  }

  async #withExitCodes(table: JobTable): Promise<JobTable> {
    const jobs = [...table].filter(([, status]) => lacksExitCode(status)).map(([job]) => job);
    if (jobs.length === 0) return table;
    const answer = await this.#ask('squeue', [
      ...[...wholeQueue, '--array', `--Format=${exitCodeFormat}`],
      `--jobs=${jobs.join(',')}`,
    ]);
    // Without an answer the reason has to suffice.
    return answer.kind === 'ok' ? addExitCodes(table, answer.text) : table;
  }

  /** What accounting says about these jobs. */
  async readAccounting(jobs: readonly string[]): Promise<TableAnswer> {
    if (jobs.length === 0) return { table: new Map() };
    const answer = await this.#ask('sacct', [
      ...['--allocations', '--array', '--noheader', '--parsable2', `--format=${accountingFormat}`],
      `--jobs=${idsOf(jobs).join(',')}`,
    ]);
    if (answer.kind === 'ok') return { table: parseAccounting(answer.text) };
    return { table: null, problem: answer.text };
  }

  /**
   * The states of jobs, named as by `nameJob`: from the queue and, for jobs that have left it, from accounting if the cluster keeps
   * accounts. `absent`: neither knows the job; null: unknown for now.
   *
   * @returns or `problem`, if the controller did not answer
   */
  async readStates(
    jobs: readonly string[],
    hasAccounting: boolean,
  ): Promise<
    | {
        readonly stateOf: (job: string) => JobStatus | 'absent' | null;
        /** What accounting said instead of an answer; null if it answered or was not asked. */
        readonly accountingProblem: string | null;
      }
    | { readonly problem: string }
  > {
    const queue = await this.readQueue(jobs);
    if (queue.table === null) return { problem: queue.problem };
    const gone = jobs.filter((job) => !queue.table.has(job));
    const past: TableAnswer = hasAccounting ? await this.readAccounting(gone) : { table: new Map() };
    return {
      stateOf: (job) =>
        queue.table.get(job) ?? (past.table === null ? null : (past.table.get(job) ?? 'absent')),
      accountingProblem: past.table === null ? past.problem : null,
    };
  }

  /**
   * Cancels jobs, or tasks of arrays. Those that have ended already are no error.
   *
   * @param options.onlyWaiting leaves running jobs alone
   */
  async cancel(
    jobs: readonly string[],
    { onlyWaiting = false }: { readonly onlyWaiting?: boolean } = {},
  ): Promise<SlurmAnswer> {
    if (jobs.length === 0) return { kind: 'ok', text: '' };
    const answer = await this.#ask('scancel', [...(onlyWaiting ? ['--state=PENDING'] : []), ...jobs]);
    if (answer.kind !== 'refused') return answer;
    const lines = answer.text.split('\n').filter((line) => line.trim() !== '');
    const problems = lines.filter((line) => !/already completing or completed|invalid job id/i.test(line));
    return problems.length === 0 ? { kind: 'ok', text: '' } : { kind: 'refused', text: problems.join('\n') };
  }

  #ask(program: Parameters<typeof askSlurm>[0], words: readonly string[]): Promise<SlurmAnswer> {
    return askSlurm(program, words, this.#environment);
  }
}

/** The ids of jobs or of the arrays that tasks belong to, each once. */
function idsOf(jobs: readonly string[]): string[] {
  return [...new Set(jobs.map((job) => job.split('_', 1)[0] ?? job))];
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
