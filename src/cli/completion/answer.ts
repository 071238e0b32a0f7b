import type { Argument, Command, Option } from 'commander';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { listOriginalArguments } from '../../apps/option-choices.ts';

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

/** The arguments of the original, with one dash, and their choices. */
function completeOriginal(previous: string, current: string): { words: Word[]; isAll: boolean } {
  const known = listOriginalArguments();
  const named = known.find(({ word, takesValue }) => word === previous && takesValue);
  if (named === undefined) {
    return { words: known.map(({ word, meaning }) => [word, firstClause(meaning)]), isAll: false };
  }
  const choices = named.choices.filter((one) => one.startsWith(current));
  return { words: choices.map((one) => [one, '']), isAll: true };
}

/** Enough to tell candidates apart in a list. */
function firstClause(text: string): string {
  return text.split(/[;:(\n]|, and |\. /, 1)[0]?.trim() ?? '';
}

/** What may stand where the cursor is. */
export type Wanted =
  | { readonly kind: 'commands'; readonly command: Command }
  | { readonly kind: 'options'; readonly command: Command; readonly given: ReadonlySet<string> }
  | { readonly kind: 'value'; readonly of: Option | Argument; readonly command: Command };

/** Where in a command line the cursor is. */
export interface Context {
  readonly wanted: readonly Wanted[];
  /** The part of the current word that is already decided, such as `--profile=`. */
  readonly prefix: string;
  /** The values given to options so far, by name (`profile`, `set`), in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Follows the words before the cursor as the parser would, without ever failing. */
export function findContext(program: Command, before: readonly string[], current: string): Context {
  let command = program;
  let operands = 0;
  let isLiteral = false;
  let waiting: Option | undefined;
  const values = new Map<string, string[]>();
  const given = new Set<string>();
  const keep = (option: Option, value: string): void => {
    values.set(option.attributeName(), [...(values.get(option.attributeName()) ?? []), value]);
  };
  for (const word of before) {
    if (waiting !== undefined) {
      keep(waiting, word);
      waiting = undefined;
    } else if (!isLiteral && word === '--') isLiteral = true;
    else if (!isLiteral && /^-./.test(word)) {
      const [flag = '', ...rest] = word.split('=');
      const option = findOption(program, defaultOf(command) ?? command, flag);
      given.add(option?.attributeName() ?? flag);
      if (option?.required === true) {
        if (word.includes('=')) keep(option, rest.join('='));
        else waiting = option;
      }
    } else {
      const next = operands === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (next === undefined) {
        if (operands === 0) command = defaultOf(command) ?? command;
        operands += 1;
      } else command = next;
    }
  }

  if (waiting !== undefined) return { wanted: [{ kind: 'value', of: waiting, command }], prefix: '', values };
  const equals = current.indexOf('=');
  if (!isLiteral && current.startsWith('--') && equals !== -1) {
    const option = findOption(program, command, current.slice(0, equals));
    const wanted: Wanted[] = option?.required === true ? [{ kind: 'value', of: option, command }] : [];
    return { wanted, prefix: current.slice(0, equals + 1), values };
  }
  if (!isLiteral && current.startsWith('-')) {
    return {
      wanted: [{ kind: 'options', command: defaultOf(command) ?? command, given }],
      prefix: '',
      values,
    };
  }
  const wanted: Wanted[] = [];
  if (operands === 0 && command.commands.length > 0) wanted.push({ kind: 'commands', command });
  command = defaultOf(command) ?? command;
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[operands] ?? (last?.variadic === true ? last : undefined);
  if (argument !== undefined) wanted.push({ kind: 'value', of: argument, command });
  if (wanted.length === 0 && !isLiteral) wanted.push({ kind: 'options', command, given });
  return { wanted, prefix: '', values };
}

/** The command of a group that is meant if none is named. Commander has no public way to ask for it. */
function defaultOf(group: Command): Command | undefined {
  return group.name() === 'export' ? group.commands.find((one) => one.name() === 'state') : undefined;
}

/** The program's own options are accepted after a command, too. */
function findOption(program: Command, command: Command, flag: string): Option | undefined {
  return [...command.options, ...program.options].find(
    (option) => option.long === flag || option.short === flag,
  );
}

/** The name in angle brackets: `stage` for `--from <stage>` and for the argument `[stage...]`. */
export function placeholderOf(of: Option | Argument): string {
  if ('flags' in of) return /[<[]([^>\]]+)[>\]]/.exec(of.flags)?.[1]?.replace('...', '') ?? '';
  return of.name();
}
