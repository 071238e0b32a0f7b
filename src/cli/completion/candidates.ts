import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Argument, Command, Option } from 'commander';
import { findProjectRoot, loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { listDatasetNames } from '../../apps/option-choices.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { isJsonList, isJsonObject, type Json } from '../../schema/json.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';

type Word = readonly [word: string, description: string];

/** What a shell offers: words, whether they fit what is typed or not, and in some places paths as well. */
export interface Answer {
  readonly words: readonly Word[];
  readonly paths: 'none' | 'file' | 'directory';
}

/**
 * What may stand where the cursor is.
 *
 * @param before the words before it, without the program's name
 * @param typed what is typed of the current word
 * @throws if the project cannot be read
 */
export async function complete(program: Command, before: readonly string[], typed: string): Promise<Answer> {
  const words = [...before, typed].flatMap((word) => /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? word);
  const current = words.pop() ?? '';
  const { command, operands, isLiteral, waiting, values } = followWords(program, words);
  const [project, profile] = [values.get('project')?.at(-1), values.get('profile')?.at(-1)];
  const context = {
    command,
    current,
    options: {
      ...(project === undefined ? {} : { project }),
      ...(profile === undefined ? {} : { profile }),
      set: values.get('set') ?? [],
    },
  };
  if (waiting !== undefined) {
    const found = await findValues(waiting, context);
    const prefix = typed.slice(0, typed.length - current.length);
    return { ...found, words: found.words.map(([word, description]) => [prefix + word, description]) };
  }
  // `export` alone means `export state`.
  const meant = command.commands.find((one) => one.name() === 'state') ?? command;
  const options = listOptions(program, meant, new Set(values.keys()));
  if (!isLiteral && current.startsWith('-')) return { words: options, paths: 'none' };
  const commands = operands > 0 ? [] : command.createHelp().visibleCommands(command);
  const inside = commands.map((one): Word => [one.name(), firstClause(one.description())]);
  const last = meant.registeredArguments.at(-1);
  const argument = meant.registeredArguments[operands] ?? (last?.variadic === true ? last : undefined);
  if (argument !== undefined) {
    const found = await findValues(argument, { ...context, command: meant });
    return { ...found, words: [...inside, ...found.words] };
  }
  return { words: inside.length > 0 || isLiteral ? inside : options, paths: 'none' };
}

/** Where words lead, as the parser would follow them, but without failing. */
function followWords(
  program: Command,
  words: readonly string[],
): {
  readonly command: Command;
  /** How many arguments of the command there are. */
  readonly operands: number;
  /** Whether `--` came before. */
  readonly isLiteral: boolean;
  /** An option whose value comes next. */
  readonly waiting: Option | undefined;
  /** What options were given, by name (`profile`, `set`), with their values in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
} {
  let command = program;
  let operands = 0;
  let isLiteral = false;
  let waiting: Option | undefined;
  const values = new Map<string, string[]>();
  for (const word of words) {
    if (waiting !== undefined) {
      values.get(waiting.attributeName())?.push(word);
      waiting = undefined;
    } else if (!isLiteral && word === '--') isLiteral = true;
    else if (!isLiteral && /^-./.test(word)) {
      const isNamed = ({ long, short }: Option) => long === word || short === word;
      const option = [command, ...command.commands, program].flatMap((one) => one.options).find(isNamed);
      if (option === undefined) continue;
      values.set(option.attributeName(), values.get(option.attributeName()) ?? []);
      if (option.required) waiting = option;
    } else {
      const next = operands === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (next === undefined) operands += 1;
      else command = next;
    }
  }
  return { command, operands, isLiteral, waiting, values };
}

/** The options of a command, and the program's, but for those given already. */
function listOptions(program: Command, command: Command, given: ReadonlySet<string>): Word[] {
  const all = new Set([...command.options, ...program.options.filter(({ long }) => long !== '--version')]);
  const open = [...all].filter(
    (one) => !one.hidden && (Array.isArray(one.defaultValue) || !given.has(one.attributeName())),
  );
  return [
    ...open.map((one): Word => [one.long ?? '', firstClause(one.description)]),
    ['--help', 'describe the command and its options'],
  ];
}

/** Enough to tell candidates apart in a list. */
function firstClause(text: string): string {
  return text.split(/[;:(\n]|, and |\. /, 1)[0]?.trim() ?? '';
}

interface Context {
  readonly command: Command;
  readonly current: string;
  readonly options: PipelineOptions;
}

/** What fits as the value of an option or an argument, by its placeholder: `stage` in `--from <stage>`. */
async function findValues(of: Option | Argument, { command, current, options }: Context): Promise<Answer> {
  const none = { words: [], paths: 'none' } as const;
  if (of.argChoices !== undefined) return { ...none, words: of.argChoices.map((one) => [one, '']) };
  const isOption = 'flags' in of;
  if (!isOption && of.name() === 'name' && command.parent?.name() === 'data') {
    return { words: await listDatasetNames(), paths: command.name() === 'show' ? 'file' : 'none' };
  }
  switch (isOption ? /<(.+)>/.exec(of.flags)?.[1] : of.name()) {
    case 'stage':
      return { ...none, words: await listStages(current, options) };
    case 'source':
      return { words: await listStages(current, options).catch(() => []), paths: 'file' };
    case 'run-a':
    case 'run-b':
      return { ...none, words: await listRuns(options) };
    case 'name':
      return isOption && of.long === '--profile' ? { ...none, words: await listProfiles(options) } : none;
    case 'key=value':
      return findSettings(current, options);
    case 'model':
      return {
        words: await listYamlFiles(path.join(rootOf(options), 'configs/models')).catch(() => []),
        paths: 'file',
      };
    case 'file':
      return { ...none, paths: 'file' };
    case 'dir':
    case 'folder':
      return { ...none, paths: 'directory' };
    default:
      return none;
  }
}

/** Stages, and instances once the word has an `@` or is a whole stage's name. */
async function listStages(current: string, options: PipelineOptions): Promise<Word[]> {
  const instances = [...(await loadLeniently(options)).instances.values()];
  const instancesOf = (stage: string) => instances.filter((one) => one.stage === stage && one.id !== stage);
  const [stage = ''] = current.split('@', 1);
  const ids = instancesOf(stage).map(({ id }): Word => [id, '']);
  if (current.includes('@')) return ids;
  const stages = [...new Set(instances.map((one) => one.stage))].map((name): Word => {
    const count = instancesOf(name).length;
    return [name, count === 0 ? '' : `${count} instance${count === 1 ? '' : 's'}`];
  });
  return [...stages, ...ids];
}

/** What `compare` takes, except what only records know. */
async function listRuns(options: PipelineOptions): Promise<Word[]> {
  const plan = await loadLeniently(options);
  const evaluations = [...plan.instances.values()].filter(({ stage }) => stage === 'evaluate');
  const names = evaluations.flatMap(({ id, matrix }) => [String(matrix.model), id.replace(/^evaluate@/, '')]);
  return [
    ['last', 'the last runs of the profile'],
    ['lock', 'the committed records'],
    ...[...new Set(names)].map((name): Word => [name, '']),
    ...(await listProfiles(options)),
  ];
}

/** With the default values if those given do not fit together yet. */
async function loadLeniently(options: PipelineOptions): Promise<Plan> {
  return loadSelectedPlan(options).catch(() => loadSelectedPlan({ ...options, set: [] }));
}

function rootOf({ project }: PipelineOptions): string {
  return findProjectRoot(project ?? process.cwd());
}

async function listProfiles(options: PipelineOptions): Promise<Word[]> {
  const { folder } = await readProfilesEntry(rootOf(options));
  return listYamlFiles(
    path.resolve(rootOf(options), typeof folder === 'string' ? folder : 'configs/profiles'),
  );
}

async function listYamlFiles(folder: string): Promise<Word[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return names.map((name) => [path.basename(name, '.yaml'), '']);
}

/** `profiles:` in pipeline.yaml. */
async function readProfilesEntry(root: string): Promise<{ readonly [key: string]: Json }> {
  const { value } = await readYamlFile(path.join(root, 'pipeline.yaml'), 'pipeline.yaml');
  return isJsonObject(value) && isJsonObject(value.profiles) ? value.profiles : {};
}

/** Keys of the profile with `=`; after it, the values that the schema lists, or paths. */
async function findSettings(current: string, options: PipelineOptions): Promise<Answer> {
  const root = rootOf(options);
  const { schema } = await readProfilesEntry(root);
  if (typeof schema !== 'string') return { words: [], paths: 'none' };
  const keys = listKeys(JSON.parse(await readFile(path.resolve(root, schema), 'utf8')));
  const [name = '', value] = current.split('=', 2);
  if (value === undefined) {
    return { words: keys.map(({ key, description }): Word => [`${key}=`, description]), paths: 'none' };
  }
  const { values = [], isText = false } = keys.find(({ key }) => key === name) ?? {};
  return { words: values.map((one): Word => [`${name}=${one}`, '']), paths: isText ? 'file' : 'none' };
}

/** The keys of a profile's schema that contain no others, with the values that it lists for them. */
function listKeys(
  schema: Json,
  key = '',
  definitions: Json | undefined = isJsonObject(schema) ? schema.definitions : undefined,
): { readonly key: string; readonly description: string; values: readonly string[]; isText: boolean }[] {
  if (!isJsonObject(schema)) return [];
  if (typeof schema.$ref === 'string' && isJsonObject(definitions)) {
    return listKeys(definitions[schema.$ref.replace('#/definitions/', '')] ?? null, key, definitions);
  }
  if (isJsonObject(schema.properties)) {
    return Object.entries(schema.properties).flatMap(([name, inner]) =>
      listKeys(inner, key === '' ? name : `${key}.${name}`, definitions),
    );
  }
  const { type, description } = schema;
  const values = isJsonList(schema.enum) ? schema.enum : type === 'boolean' ? [true, false] : [];
  return [
    {
      key,
      description: typeof description === 'string' ? (description.split('. ', 1)[0] ?? '') : '',
      values: values.map(String),
      isText: values.length === 0 && [type].flat().includes('string'),
    },
  ];
}
