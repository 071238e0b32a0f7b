import process from 'node:process';
import { execa } from 'execa';

export interface Question {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly seconds: number;
  /** Whether the answer is whole, however the command ends: a GPU's driver may crash at the very end, and one exit code of parity is a result. */
  readonly isWhole?: (answer: string) => boolean;
}

/** What a command printed. @throws if it failed, with the last line that it wrote, or if it took longer and was therefore ended */
export async function ask(
  command: string,
  args: readonly string[],
  { env = {}, input = '', seconds, isWhole = () => false }: Question,
): Promise<string> {
  const options = { env, input, timeout: 1000 * seconds, killSignal: 'SIGKILL', maxBuffer: 2 ** 30 } as const;
  const result = await execa(command, args, { ...options, reject: false });
  if (!result.failed || isWhole(result.stdout)) return result.stdout;
  if (result.timedOut) throw new Error(`it took more than ${seconds} s and was ended`);
  if (result.signal !== undefined) throw new Error(`it was ended by ${result.signal}`);
  throw new Error(result.stderr.trim().split('\n').at(-1) || result.originalMessage || result.shortMessage);
}

/** JSON, to its end. */
export const isDocument = (answer: string): boolean => answer.endsWith('}');

interface Comparison {
  readonly what: string;
  readonly passed: boolean;
  /** A number, or a word that JSON has no number for, or null where values must be equal and are not. */
  readonly ofTolerance: number | string | null;
}

export interface ParityCase {
  readonly name: string;
  readonly passed: boolean;
  readonly comparisons: readonly Comparison[];
}

/** The error as a share of its tolerance. */
export const shareOf = ({ ofTolerance }: Comparison): number => Number(ofTolerance ?? Infinity);

/** Compares an engine with the vectors in a folder. @param root of the project. @throws if the engine cannot run */
export async function runParity(
  root: string,
  folder: string,
  engine: string,
  question: Question,
): Promise<readonly ParityCase[]> {
  const args = [`${root}bin/repro.js`, 'parity', folder, '--engine', engine, '--json'];
  return JSON.parse(await ask(process.execPath, args, { ...question, isWhole: isDocument })).cases;
}
