import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';

/** The first step's results: what contestants must agree on. */
export interface FirstStep {
  /** null in evaluation. */
  readonly loss: number | null;
  /** [N, classes]. */
  readonly rates: readonly number[];
  /** The share of neurons that spike, by spiking layer. */
  readonly densities: readonly number[];
}

/** One timed step, in seconds. */
export interface TimedStep {
  readonly wall: number;
  readonly processor: number;
  /** The cores that other processes kept busy meanwhile, on average: above 0.1 or so, the time is not to be trusted. */
  readonly disturbance: number;
}

export interface Result {
  readonly label: string;
  readonly first: FirstStep;
  readonly steps: readonly TimedStep[];
  /** Peak resident memory of the process. */
  readonly peakBytes: number;
}

export interface ContestantCommand {
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A process that waits to run steps. It warms up, prints its first step, then runs and prints one timed step for each line
 * that it reads; at the end of its input it prints a summary and leaves. All it prints is a JSON object per line.
 */
export class Contestant {
  readonly label: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #steps: TimedStep[] = [];
  #first: FirstStep | undefined;

  private constructor({ label, command, args, env }: ContestantCommand) {
    this.label = label;
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // Without listeners, a command that cannot start would end this process instead of the stream of lines.
    this.#child.on('error', (error) => console.error(`${label}: ${error.message}`));
    this.#child.stdin!.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts it and waits until it is warm. */
  static async start(command: ContestantCommand): Promise<Contestant> {
    const contestant = new Contestant(command);
    const first = await contestant.#read();
    contestant.#first = { loss: first.loss, rates: first.rates, densities: first.densities };
    return contestant;
  }

  async step(): Promise<void> {
    const before = busySeconds();
    this.#child.stdin!.write('step\n');
    const { wall, processor } = await this.#read();
    const others = busySeconds() - before - processor;
    this.#steps.push({ wall, processor, disturbance: Math.max(0, others / wall) });
  }

  async finish(): Promise<Result> {
    this.#child.stdin!.end();
    const { peakBytes } = await this.#read();
    return { label: this.label, first: this.#first!, steps: this.#steps, peakBytes };
  }

  stop(): void {
    this.#child.kill();
  }

  async #read() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.label} ended early (exit status ${this.#child.exitCode}); see above.`);
    return JSON.parse(value);
  }
}

/** What all cores have worked since the machine started. */
function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1e3, 0);
}

/**
 * Lets all contestants run `repeats` steps, taking turns: whatever else the machine does meanwhile, it does to all of them.
 * One that cannot start, for want of memory for instance, is left out with a message.
 */
export async function compete(commands: readonly ContestantCommand[], repeats: number): Promise<Result[]> {
  const contestants: Contestant[] = [];
  try {
    for (const command of commands) {
      const contestant = await Contestant.start(command).catch((error) => console.error(String(error)));
      if (contestant !== undefined) contestants.push(contestant);
    }
    for (let i = 0; i < repeats; i++) {
      for (const contestant of contestants) await contestant.step();
    }
    const results: Result[] = [];
    for (const contestant of contestants) results.push(await contestant.finish());
    return results;
  } finally {
    for (const contestant of contestants) contestant.stop();
  }
}
