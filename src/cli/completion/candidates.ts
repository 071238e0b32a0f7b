import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Argument, Command, Option } from 'commander';
import { findProjectRoot, loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { listDatasetNames } from '../../apps/option-choices.ts';
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
 * @param program takes the values of the options before the cursor
 * @param before the words before the current one, without the program's name
 * @param typed what is typed of the current word
 * @throws if the project cannot be read
 */
export async function complete(program: Command, before: readonly string[], typed: string): Promise<Answer> {
  let words = [...before, typed].flatMap((word) => /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? word);
  const current = words.pop() ?? '';
  const isLiteral = words.includes('--');
  const last = !isLiteral && words.at(-1)?.startsWith('-') ? words.pop() : undefined;
  let command = program;
  while (command.commands.length > 0) {
    const { operands, unknown } = command.parseOptions(words);
    const next = command.commands.find((one) => one.name() === operands[0]);
    if (next === undefined) break;
    command = next;
    words = [...operands.slice(1), ...unknown];
  }
  // `export` alone means `export state`.
  const meant = command.commands.find((one) => one.name() === 'state') ?? command;
  const { operands } = meant.parseOptions(words);
  const context = { command: meant, current, options: { set: [], ...meant.optsWithGlobals() } };
  const help = program.createHelp();
  const project = program.options.filter(({ long }) => long === '--project');
  const options = [...new Set([...help.visibleOptions(meant), ...project])];
  const isLast = ({ long, short }: Option) => last !== undefined && [long, short].includes(last);
  const waiting = options.find((one) => one.required && isLast(one));
  if (waiting !== undefined) {
    const found = await findValues(waiting, context);
    const prefix = typed.slice(0, typed.length - current.length);
    return { ...found, words: found.words.map(([word, description]) => [prefix + word, description]) };
  }
  const commands = operands.length > 0 ? [] : help.visibleCommands(command);
  const inside = commands.map((one): Word => [one.name(), firstClause(one.description())]);
  const final = meant.registeredArguments.at(-1);
  const argument =
    meant.registeredArguments[operands.length] ?? (final?.variadic === true ? final : undefined);
  if (!isLiteral && (current.startsWith('-') || (argument === undefined && inside.length === 0))) {
    return { ...nothing, words: options.map((one) => [one.long ?? '', firstClause(one.description)]) };
  }
  const found = argument === undefined ? nothing : await findValues(argument, context);
  return { ...found, words: [...inside, ...found.words] };
}

const nothing: Answer = { words: [], paths: 'none' };

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
  if (of.argChoices !== undefined) return { ...nothing, words: of.argChoices.map((one) => [one, '']) };
  const isOption = 'flags' in of;
  if (!isOption && of.name() === 'name' && command.parent?.name() === 'data') {
    return { words: await listDatasetNames(), paths: command.name() === 'show' ? 'file' : 'none' };
  }
  switch (isOption ? /<(.+)>/.exec(of.flags)?.[1] : of.name()) {
    case 'stage':
    case 'training':
    case 'run-a':
    case 'run-b':
      return { ...nothing, words: await listStages(current, options) };
    case 'source':
      return { words: await listStages(current, options).catch(() => []), paths: 'file' };
    case 'name':
      return of.name() === 'profile' ? { ...nothing, words: await listProfiles(options) } : nothing;
    case 'key=value':
      return findSettings(current, options);
    case 'model':
      return {
        words: await listYamlFiles(path.join(rootOf(options), 'configs/models')).catch(() => []),
        paths: 'file',
      };
    case 'file':
      return { ...nothing, paths: 'file' };
    case 'dir':
    case 'folder':
      return { ...nothing, paths: 'directory' };
    default:
      return nothing;
  }
}

/** Stages, and instances once the word has an `@` or is a whole stage's name. */
async function listStages(current: string, options: PipelineOptions): Promise<Word[]> {
  const instances = [...(await loadSelectedPlan(options)).instances.values()];
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
  if (typeof schema !== 'string') return nothing;
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
