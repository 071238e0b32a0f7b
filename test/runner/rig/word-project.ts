import { CliProject } from './cli-project.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  words:
    run: stages/words.ts
    params: [words]
    inputs: [configs/words, data.txt]
    outputs: [artifacts/words]
    variables: [WORDS_MOOD]
  sum:
    matrix: { letter: "\${letters}" }
    cmd: [node, tools/sum.mjs, "\${letter}"]
    inputs: [artifacts/words]
    outputs: ["artifacts/sum/\${letter}"]
`;

const stage = `import fs from 'node:fs';
import path from 'node:path';
import { version } from 'wordlist';
import { shout } from '../src/shout.ts';

interface Context { params: { words: { text: string; times: number } }; inputs: string[]; outputs: string[] }

export default {
  summary: 'Writes words.',
  async run({ params, inputs, outputs }: Context) {
    fs.mkdirSync(outputs[0]!, { recursive: true });
    const more = fs.readFileSync(path.join(inputs[0]!, 'list.txt'), 'utf8');
    const text = shout(params.words.text).repeat(params.words.times) + more + version;
    fs.writeFileSync(path.join(outputs[0]!, 'text'), text);
  },
};
`;

const shout = `// How loud it is.
const mark = '!';

export function shout(text: string): string {
  return text.toUpperCase() + mark;
}
`;

const sumTool = `import fs from 'node:fs';
const [letter] = process.argv.slice(2);
fs.mkdirSync(process.env.REPRO_OUTPUT_0, { recursive: true });
const text = fs.readFileSync(process.env.REPRO_INPUT_0 + '/text', 'utf8');
fs.writeFileSync(process.env.REPRO_OUTPUT_0 + '/count.json', JSON.stringify({ letter, count: text.split(letter).length - 1 }));
`;

const lock = (version: string) =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/wordlist': { version } } }, null, 2);

/** A project with a TypeScript stage that has everything a fingerprint has, and a command for each of two letters after it. */
export async function createWordProject(more: Readonly<Record<string, string>> = {}): Promise<CliProject> {
  const project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml': 'words:\n  text: hello\n  times: 2\nletters: [a, L]\n',
    'configs/profiles/large.yaml': 'words:\n  text: hello\n  times: 5\nletters: [a, L]\n',
    'configs/words/list.txt': 'one\ntwo\nthree\n',
    'data.txt': 'first\nsecond\n',
    'stages/words.ts': stage,
    'src/shout.ts': shout,
    'tools/sum.mjs': sumTool,
    ...more,
  });
  await installWordlist(project, '1.0.0');
  return project;
}

/** Installs a version of the package that the stage uses. */
export async function installWordlist(project: CliProject, version: string): Promise<void> {
  await project.write('package-lock.json', lock(version));
  const manifest = { name: 'wordlist', version, type: 'module', main: 'index.js' };
  // Where Node looks from the runner's code folder, too: packages are resolved from the bundle.
  await project.write('node_modules/wordlist/package.json', JSON.stringify(manifest));
  await project.write('node_modules/wordlist/index.js', `export const version = '${version}';\n`);
}
