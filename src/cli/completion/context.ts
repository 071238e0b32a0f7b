import type { Argument, Command, Option } from 'commander';

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

/** The command of a group that is meant where none is named; commander keeps its name, but does not tell. */
function defaultOf(group: Command): Command | undefined {
  const name: unknown = Reflect.get(group, '_defaultCommandName');
  return group.commands.find((one) => one.name() === name);
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
