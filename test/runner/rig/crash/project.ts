import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** The real command line, as `npm run build` left it. */
export const repro = path.resolve(import.meta.dirname, '../../../../bin/repro.js');

const pipeline = `version: 1
profiles: { folder: configs/profiles, default: p }
stages:
  a:
    cmd: [sh, -ec, 'mkdir "$REPRO_OUTPUT_0"; for i in 1 2 3 4 5 6 7 8; do echo "a $REPRO_PARAMS $i" > "$REPRO_OUTPUT_0/$i"; done']
    params: [version]
    outputs: [artifacts/a]
  b:
    run: stages/b.mjs
    params: [version]
    inputs: [artifacts/a]
    outputs: [artifacts/b.txt, artifacts/b-parts]
    resume: [artifacts/b.resume]
  c:
    matrix: { half: [low, high] }
    cmd: [sh, -ec, 'cat "$REPRO_INPUT_0/1" > "$REPRO_OUTPUT_0"; echo "c $REPRO_MATRIX" >> "$REPRO_OUTPUT_0"']
    inputs: [artifacts/a]
    outputs: ["artifacts/c/\${half}.txt"]
  d:
    cmd: [sh, -ec, 'cat "$REPRO_INPUT_0" "$REPRO_INPUT_1/low.txt" "$REPRO_INPUT_1/high.txt" > "$REPRO_OUTPUT_0"']
    inputs: [artifacts/b.txt, artifacts/c]
    outputs: [artifacts/d.txt]
`;

/** Computes in steps that it can resume from, each kept by a rename; writes two outputs. */
const stageB = `
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
export default { summary: '', async run({ params, inputs, outputs, resume }) {
  for (const step of [1, 2, 3]) {
    const file = resume[0] + '/' + step;
    if (existsSync(file)) continue;
    writeFileSync(file + '.part', 'b ' + params.version + ' ' + step + '\\n');
    renameSync(file + '.part', file);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const steps = [1, 2, 3].map((step) => readFileSync(resume[0] + '/' + step, 'utf8'));
  writeFileSync(outputs[0], readFileSync(inputs[0] + '/2', 'utf8') + steps.join(''));
  mkdirSync(outputs[1]);
  for (const [i, text] of steps.entries()) writeFileSync(outputs[1] + '/' + (i + 1), text);
} };
`;

/** The instances, and the outputs of each. */
export const outputsOf: Readonly<Record<string, readonly string[]>> = {
  a: ['artifacts/a'],
  b: ['artifacts/b.txt', 'artifacts/b-parts'],
  'c@low': ['artifacts/c/low.txt'],
  'c@high': ['artifacts/c/high.txt'],
  d: ['artifacts/d.txt'],
};

/** What every output holds under a version: file -> content. */
export function expectedFiles(version: number): Readonly<Record<string, string>> {
  const partOfA = (i: number): string => `a {"version":${version}} ${i}\n`;
  const steps = [1, 2, 3].map((step) => `b ${version} ${step}\n`);
  const c = (half: string): string => `${partOfA(1)}c {"half":"${half}"}\n`;
  const b = partOfA(2) + steps.join('');
  return {
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((i) => [`artifacts/a/${i}`, partOfA(i)])),
    'artifacts/b.txt': b,
    ...Object.fromEntries(steps.map((text, i) => [`artifacts/b-parts/${i + 1}`, text])),
    'artifacts/c/low.txt': c('low'),
    'artifacts/c/high.txt': c('high'),
    'artifacts/d.txt': b + c('low') + c('high'),
  };
}

/** In memory where that is possible: a killed process loses nothing that it has handed to the system, and a disk is far slower. */
export const parent = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** Makes the project in a new temporary folder, removed when the test has finished. @returns its folder */
export async function createCrashProject(): Promise<string> {
  const root = await temporaryFolder(parent);
  await writeCrashProject(root);
  return root;
}

/** Makes the project in this folder. */
export async function writeCrashProject(root: string): Promise<void> {
  await mkdir(path.join(root, 'stages'), { recursive: true });
  await mkdir(path.join(root, 'configs/profiles'), { recursive: true });
  await writeFile(path.join(root, 'pipeline.yaml'), pipeline);
  await writeFile(path.join(root, 'stages/b.mjs'), stageB);
  await writeFile(path.join(root, 'configs/profiles/p.yaml'), 'version: 0\n');
}

/** The words of the command that runs everything for a version. */
export function runWords(version: number): readonly string[] {
  return [repro, 'run', '--jobs', '2', '--json', '--set', `version=${version}`];
}

/** What a run says about its instances. */
export interface Outcome {
  readonly exitCode: number | undefined;
  readonly errors: string;
  /** Instance -> `cached`, `finished` and so on. */
  readonly states: Readonly<Record<string, string>>;
}

/** Runs everything to its end. */
export async function runWhole(root: string, version: number): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, runWords(version), {
    cwd: root,
    reject: false,
  });
  const document = stdout === '' ? { instances: [] } : (JSON.parse(stdout) as OutcomeDocument);
  return {
    exitCode,
    errors: stderr,
    states: Object.fromEntries(document.instances.map(({ id, state }) => [id, state])),
  };
}

interface OutcomeDocument {
  readonly instances: readonly { readonly id: string; readonly state: string }[];
}
