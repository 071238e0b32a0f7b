import type { Command, Option } from 'commander';
import {
  type Argument,
  argumentTable,
  datasetNames,
  normalizations,
  splitRules,
} from '../../original/argument-table.ts';
import type { PipelineOptions } from '../load.ts';
import { findContext, type Wanted } from './context.ts';

type Word = readonly [word: string, description: string];

/** What a shell offers: words, and in some places paths as well. */
export interface Answer {
  readonly words: readonly Word[];
  readonly paths: 'none' | 'files' | 'folders';
  /** Of the current word, what comes before a path: `--out=`, `dataset.root=`. */
  readonly pathPrefix: string;
}

/**
 * What completes the current word.
 *
 * @param before the words before it, without the program's name
 * @param current what is typed of it
 */
export async function complete(
  program: Command,
  before: readonly string[],
  current: string,
): Promise<Answer> {
  const { wanted, prefix, values } = findContext(program, before, current);
  const original = takesOriginalArguments(wanted)
    ? completeOriginal(before.at(-1) ?? '', current)
    : undefined;
  if (original?.isAll === true) return { words: original.words, paths: 'none', pathPrefix: '' };
  const options: PipelineOptions = {
    ...pick(values, 'project'),
    ...pick(values, 'profile'),
    set: values.get('set') ?? [],
  };
  const words: Word[] = [];
  let paths: Answer['paths'] = 'none';
  let pathPrefix = prefix;
  for (const one of wanted) {
    if (one.kind === 'commands') words.push(...listCommands(one.command));
    else if (one.kind === 'options') words.push(...listOptions(program, one.command, one.given));
    else {
      const { findValues } = await import('./values.ts');
      const found = await findValues(one.of, one.command, current.slice(prefix.length), options);
      words.push(...found.words.map(([word, description]) => [`${prefix}${word}`, description] as const));
      paths = found.paths ?? paths;
      pathPrefix += found.pathPrefix ?? '';
    }
  }
  if (original !== undefined && current.startsWith('-')) words.push(...original.words);
  return { words: words.filter(([word]) => word.startsWith(current)), paths, pathPrefix };
}

function pick<Name extends 'project' | 'profile'>(
  values: ReadonlyMap<string, readonly string[]>,
  name: Name,
): { readonly [key in Name]?: string } {
  const value = values.get(name)?.at(-1);
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]: string });
}

function listCommands(command: Command): Word[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => [one.name(), firstClause(one.description())]);
}

function listOptions(program: Command, command: Command, given: ReadonlySet<string>): Word[] {
  const all: readonly Option[] = [
    ...command.options,
    ...(command === program ? [] : program.options.filter((option) => option.long !== '--version')),
  ];
  const isOpen = (option: Option): boolean =>
    !option.hidden && (Array.isArray(option.defaultValue) || !given.has(option.attributeName()));
  const words = all.filter(isOpen).flatMap((option): Word[] => {
    return option.long === undefined ? [] : [[option.long, firstClause(option.description)]];
  });
  return [...words, ['--help', 'describe the command and its options']];
}

/** `train-val` and `config from-args`. */
function takesOriginalArguments(wanted: readonly Wanted[]): boolean {
  return wanted.some(({ command }) => ['train-val', 'from-args'].includes(command.name()));
}

const originalChoices: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['dataset_name', datasetNames],
  ['split_by', splitRules],
  ['normalization', [...normalizations, 'None']],
]);

/** The arguments of the original, with one dash, and their choices. */
function completeOriginal(previous: string, current: string): { words: Word[]; isAll: boolean } {
  const table: readonly Argument[] = argumentTable;
  const named = table.find((one) => previous === `-${one.name}` && one.kind !== 'flag');
  if (named !== undefined) {
    const choices = originalChoices.get(named.name) ?? [];
    return {
      words: choices.filter((one) => one.startsWith(current)).map((one) => [one, '']),
      isAll: true,
    };
  }
  return { words: table.map((one) => [`-${one.name}`, firstClause(one.meaning)]), isAll: false };
}

/** Enough to tell candidates apart in a list. */
function firstClause(text: string): string {
  return text.split(/[;:(\n]|, and |\. /, 1)[0]?.trim() ?? '';
}
