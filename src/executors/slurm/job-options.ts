/** The tasks of an array, and how many of them may run at once. */
export interface JobArray {
  /** Ascending. */
  readonly indices: readonly number[];
  /** null: as many as there is room for. */
  readonly atOnce: number | null;
}

/** What one job, or each task of an array, asks of Slurm. */
export interface JobOptions {
  readonly name: string;
  /** Identifies the job if the answer to its submission is lost. */
  readonly comment: string;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly constraint?: string;
  readonly cpus: number;
  /** null: the partition's default. */
  readonly memoryBytes: number | null;
  readonly gpus: number;
  /** Such as `a100`; null: any. */
  readonly gpuType: string | null;
  /** null: the partition's default. */
  readonly timeSeconds: number | null;
  /** How long before the time limit the job is sent SIGUSR2; null: never. */
  readonly warnSeconds: number | null;
  readonly array: JobArray | null;
  /** Each as Slurm writes it: `afterok:12`, `aftercorr:13`, `singleton`. */
  readonly dependencies: readonly string[];
  /** The file for what the script and Slurm print; absolute, with `%a` for the index of an array's task. */
  readonly logPattern: string;
  /** Further options, each one word. */
  readonly flags: readonly string[];
}

/** The options of `sbatch`, each one word. */
export function listSbatchOptions(options: JobOptions): string[] {
  const { array, gpus, gpuType, memoryBytes, timeSeconds, warnSeconds, dependencies } = options;
  const named = (['partition', 'account', 'qos', 'constraint'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}=${options[name]}`],
  );
  return [
    `--job-name=${options.name}`,
    `--comment=${options.comment}`,
    ...named,
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${options.cpus}`,
    ...(memoryBytes === null ? [] : [`--mem=${formatMebibytes(memoryBytes)}`]),
    ...(gpus === 0 ? [] : [`--gres=gpu:${gpuType === null ? '' : `${gpuType}:`}${gpus}`]),
    ...(timeSeconds === null ? [] : [`--time=${formatTimeLimit(timeSeconds)}`]),
    ...(warnSeconds === null ? [] : [`--signal=B:USR2@${Math.ceil(warnSeconds)}`]),
    ...(array === null ? [] : [`--array=${formatArray(array)}`]),
    ...(dependencies.length === 0
      ? []
      : [`--dependency=${dependencies.join(',')}`, '--kill-on-invalid-dep=yes']),
    // Nothing of the submitting shell's environment: the script says what the job sees.
    '--export=NIL',
    // It starts again after a node failure. That is safe: only complete outputs count as a result.
    '--requeue',
    '--open-mode=append',
    `--output=${options.logPattern}`,
    ...options.flags,
  ];
}

/** `4096M`, rounded up. */
export function formatMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)}M`;
}

/** `2-03:00:00`, rounded up to whole minutes, in which Slurm counts. */
export function formatTimeLimit(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(minutes / 1440);
  const clock = `${two(Math.floor((minutes % 1440) / 60))}:${two(minutes % 60)}:00`;
  return days === 0 ? clock : `${days}-${clock}`;
}

/** `0-39%4`, `3,5-7`. */
export function formatArray({ indices, atOnce }: JobArray): string {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === index) last[1] = index;
    else ranges.push([index, index]);
  }
  const text = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
  return atOnce === null ? text : `${text}%${atOnce}`;
}

/** A path for `--output`, in which Slurm reads `%` as the start of a placeholder. */
export function escapePattern(file: string): string {
  return file.replaceAll('%', '%%');
}
