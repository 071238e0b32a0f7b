import { ReproError } from '../../base/errors.ts';
import { findClosest } from '../../base/schema/closest-name.ts';
import {
  type Argument,
  type ArgumentName,
  argumentTable,
  ORIGINAL_DATASETS,
  type ValueKind,
} from './argument-table.ts';

/** What an argument's value can be; null stands for Python's `None`, and for what is not given. */
type ValueOf<Given> = Given extends { readonly value: ValueKind<infer Value> }
  ? Given extends { readonly required: 'events' }
    ? Value | null
    : 'None' extends Value
      ? Exclude<Value, 'None'> | null
      : Value
  : boolean;

/** The values of all arguments, under the original's names: `argumentTable` says what they mean. */
export type OriginalArguments = {
  readonly [Given in (typeof argumentTable)[number] as Given['name']]: ValueOf<Given>;
};

export interface ParsedArguments {
  readonly values: OriginalArguments;
  /** Those given explicitly: Python prints them as floats, but defaults as they are written in the script. */
  readonly given: ReadonlySet<ArgumentName>;
  /** Remarks on what is accepted but may not mean what it seems to. */
  readonly notes: readonly string[];
}

/**
 * Parses the original's arguments.
 *
 * @param words as split by the shell, without our own options
 * @throws {ReproError} `arguments-invalid`, listing every problem
 */
export function parseArguments(words: readonly string[]): ParsedArguments {
  const line = readCommandLine(words);
  const problems = [...line.problems];
  const missing: string[] = [];
  const values: Record<string, unknown> = {};
  for (const argument of argumentTable) {
    const { name, value, default: otherwise, required }: Argument = argument;
    const word = line.words.get(argument.name);
    if (value === undefined) values[name] = word === true;
    else if (word === undefined) {
      values[name] = otherwise === undefined ? null : readValue(value, otherwise);
      if (required === 'always') missing.push(name);
    } else if (typeof word === 'string' && word !== '') {
      values[name] = readValue(value, word);
      if (values[name] === undefined) problems.push(`-${name}: ${describeWrong(value, word)}`);
    }
  }
  const given = new Set(line.words.keys());
  // Complete only if there is no problem, and otherwise not returned.
  const found = findContradictions(values as Partial<OriginalArguments>, given);
  problems.push(...found.problems);
  missing.push(...found.missing);
  if (missing.length > 0) problems.push(`missing: ${missing.map((name) => `-${name}`).join(', ')}.`);
  if (problems.length > 0) throw refuse(problems);
  return { values: values as OriginalArguments, given, notes: found.notes };
}

function readValue({ parse }: ValueKind<unknown>, text: string): unknown {
  const value = parse(text);
  return value === 'None' ? null : value;
}

function describeWrong({ expected, choices = [] }: ValueKind<unknown>, found: string): string {
  const closest = findClosest(found, choices);
  return `expected ${expected}, found "${found}".${closest === undefined ? '' : ` Closest: "${closest}".`}`;
}

function refuse(problems: readonly string[]): ReproError {
  const [only] = problems;
  const message =
    problems.length === 1 && only !== undefined
      ? only
      : `There are ${problems.length} problems with the arguments:\n${problems.map((one) => `  ${one}`).join('\n')}`;
  return new ReproError('arguments-invalid', message, {
    fix: '`./repro train-val --help` lists the arguments.',
  });
}

const eventArguments = ['channels', 'number_layer', 'split_by'] as const;

/** Finds contradictions between arguments that are valid on their own; what is wrong or missing is null or undefined. */
function findContradictions(
  values: Partial<OriginalArguments>,
  given: ReadonlySet<ArgumentName>,
): { readonly problems: string[]; readonly notes: string[]; readonly missing: ArgumentName[] } {
  const notes: string[] = [];
  const missing: ArgumentName[] = [];
  const { init_tau, use_plif, tau_per_neuron, tau_std_dev = 0, reg_lambda = 0 } = values;
  const contradictions: readonly (readonly [boolean | undefined, string])[] = [
    [
      use_plif && init_tau === 1,
      '-init_tau: expected a number of time steps above 1 with -use_plif, found "1".',
    ],
    [
      tau_per_neuron && !use_plif,
      '-tau_per_neuron without -use_plif: if τ is not learned, all neurons keep -init_tau, so none has its own τ.',
    ],
    [
      tau_std_dev > 0 && !tau_per_neuron,
      `-tau_std_dev ${tau_std_dev} without -tau_per_neuron: the single τ of a layer has no spread.`,
    ],
    [
      reg_lambda > 0 && !tau_per_neuron,
      `-reg_lambda ${reg_lambda} without -tau_per_neuron: the original then adds no penalty, despite the λ in its folder's name. ` +
        'Leave it out, or add -tau_per_neuron.',
    ],
  ];
  const problems = contradictions.flatMap(([isFound, problem]) => (isFound ? [problem] : []));
  const name = values.dataset_name;
  const dataset = name ? ORIGINAL_DATASETS[name] : undefined;
  if (name === 'ASLDVS') {
    problems.push(
      '-dataset_name ASLDVS: neither the thesis’ script nor Fang’s original code has a network for it: the class of that name only ' +
        `scales frames to 256 x 256. Here, profile ${ORIGINAL_DATASETS[name].name} trains one.`,
    );
  } else if (dataset?.kind === 'images') {
    const ignored = [...eventArguments, 'normalization' as const].filter((one) => given.has(one));
    const list = ignored.map((one) => `-${one}`).join(', ');
    if (ignored.length > 0)
      notes.push(
        `${list}: ignored, for event data only; the network for ${name} is fixed, as in the original.`,
      );
  } else if (dataset?.kind === 'events') {
    missing.push(...eventArguments.filter((one) => !given.has(one)));
  }
  const card = /^cuda:(\d+)$/.exec(values.device ?? '')?.[1];
  if (card !== undefined && Number(card) > 0) {
    notes.push(
      `-device ${values.device}: the first visible GPU is used; select one with CUDA_VISIBLE_DEVICES=${card}.`,
    );
  }
  return { problems, notes, missing };
}

/** A command line split into arguments: each value as text, or `true` for a flag. */
interface CommandLine {
  readonly words: ReadonlyMap<ArgumentName, string | true>;
  readonly problems: readonly string[];
}

const names: readonly ArgumentName[] = argumentTable.map(({ name }) => name);

/**
 * Parses the words as Python's argparse does: `-T 20`, `-T=20`, `-T20`. A value may be a negative number, but may not begin with a dash
 * otherwise. Unlike in argparse, giving an argument twice or shortening its name is an error: neither is ever intended.
 */
function readCommandLine(given: readonly string[]): CommandLine {
  const words = new Map<ArgumentName, string | true>();
  const problems: string[] = [];
  const rest = [...given];
  const takeValue = () => (rest[0] !== undefined && isValue(rest[0]) ? rest.shift() : undefined);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const head = findHead(word);
    if ('problem' in head) {
      problems.push(head.problem);
      // Its value, if it has one, is not another problem.
      if (word.startsWith('-') && !word.includes('=')) takeValue();
      continue;
    }
    const { argument, joined } = head;
    const { name } = argument;
    if (words.has(name)) problems.push(`-${name} is given twice.`);
    if (argument.value === undefined) {
      if (joined !== undefined) problems.push(`-${name} is a flag and takes no value, found "${joined}".`);
      words.set(name, true);
    } else {
      const value = joined ?? takeValue() ?? '';
      if (value === '') problems.push(`-${name} requires a value.`);
      words.set(name, value);
    }
  }
  return { words, problems };
}

type Head =
  | {
      readonly argument: Argument & { readonly name: ArgumentName };
      readonly joined?: string | undefined;
    }
  | { readonly problem: string };

/** The argument that a word names, with the value attached to it. */
function findHead(word: string): Head {
  if (isValue(word)) return { problem: `unexpected value "${word}".` };
  if (word.startsWith('--')) return { problem: describeUnknownOption(word) };
  // The only one-letter name: its value may follow without a space.
  const [, name = '', joined] = /^-(T)(?=\d)(.*)$/.exec(word) ?? /^-([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const argument = argumentTable.find((one) => one.name === name);
  if (argument !== undefined) return { argument, joined };
  // Any letter is a typo away from any other.
  const closest =
    name.length > 1 ? (findClosest(name, names) ?? names.find((one) => one.startsWith(name))) : undefined;
  return {
    problem: `unknown argument "-${name}".${closest === undefined ? '' : ` Closest: "-${closest}".`}`,
  };
}

/** Our own options are read before: what arrives here is a misspelling. */
function describeUnknownOption(word: string): string {
  const [name = word] = word.split('=', 1);
  const meant = names.find((one) => one === name.slice(2));
  return meant === undefined
    ? `unknown option "${name}".`
    : `"${name}": the original's arguments have a single dash: -${meant}.`;
}

/** Whether a word is a value: it begins with no dash, or is one, or a negative number. */
function isValue(word: string): boolean {
  return !word.startsWith('-') || /^-(\d+|\d*\.\d+)?$/.test(word);
}
