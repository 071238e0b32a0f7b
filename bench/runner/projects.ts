import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BenchGraph, BenchStage } from './graph.ts';

export const tools = ['repro', 'make', 'snakemake', 'turbo', 'wireit'] as const;

export type Tool = (typeof tools)[number];

/** Every tool's output of a stage; this runner requires it below artifacts/. */
const outputOf = (stage: string): string => `artifacts/${stage}`;

/** What a stage does in every tool: its output is what it reads, one after the other. A stage without inputs writes its name. */
function shellOf(stage: BenchStage, output: string): string {
  // Of the data, only the names: the time to read it is no part of any tool's.
  if (stage.readsData) return `ls -R data > ${output}`;
  if (stage.reads.length === 0) return `echo ${stage.name} > ${output}`;
  return `head -c 100 -q ${stage.reads.map(outputOf).join(' ')} > ${output}`;
}

/**
 * Writes the same graph as a project of one tool.
 *
 * @param data the folder of data, which the project gets as hard links; null if no stage reads it
 */
export function writeProject(tool: Tool, graph: BenchGraph, folder: string, data: string | null): void {
  mkdirSync(path.join(folder, 'artifacts'), { recursive: true });
  const files = data === null ? [] : linkFolder(data, path.join(folder, 'data'));
  for (const [name, text] of Object.entries(writers[tool](graph, files))) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

/** @returns the files, relative to the project */
function linkFolder(from: string, to: string): string[] {
  const files: string[] = [];
  for (const name of readdirSync(from).sort()) {
    mkdirSync(path.join(to, name), { recursive: true });
    for (const file of readdirSync(path.join(from, name)).sort()) {
      linkSync(path.join(from, name, file), path.join(to, name, file));
      files.push(`data/${name}/${file}`);
    }
  }
  return files;
}

type Files = Readonly<Record<string, string>>;

const writers: Readonly<Record<Tool, (graph: BenchGraph, data: readonly string[]) => Files>> = {
  repro: ({ stages }) => ({
    'pipeline.yaml': [
      'version: 1',
      'stages:',
      ...stages.flatMap((stage) => [
        `  ${stage.name}:`,
        `    cmd: [sh, -c, '${shellOf(stage, '"$REPRO_OUTPUT_0"')}']`,
        `    inputs: [${[...(stage.readsData ? ['data'] : []), ...stage.reads.map(outputOf)].join(', ')}]`,
        `    outputs: [${outputOf(stage.name)}]`,
        '    resources: { memory: 1M }',
      ]),
      '',
    ].join('\n'),
  }),
  make: ({ stages }, data) => ({
    Makefile: [
      `all: ${stages.map(({ name }) => outputOf(name)).join(' ')}`,
      ...stages.flatMap((stage) => [
        `${outputOf(stage.name)}: ${[...(stage.readsData ? data : []), ...stage.reads.map(outputOf)].join(' ')}`,
        `\t@${shellOf(stage, outputOf(stage.name))}`,
      ]),
      '',
    ].join('\n'),
  }),
  snakemake: ({ stages }, data) => ({
    Snakefile: [
      // `rule all` names every output, as a person would with a function of the configuration.
      'rule all:',
      `    input: ${quoteAll(stages.map(({ name }) => outputOf(name)))}`,
      ...stages.flatMap((stage) => {
        const inputs = [...(stage.readsData ? data : []), ...stage.reads.map(outputOf)];
        return [
          `rule ${stage.name.replaceAll('-', '_')}:`,
          ...(inputs.length === 0 ? [] : [`    input: ${quoteAll(inputs)}`]),
          `    output: ${quoteAll([outputOf(stage.name)])}`,
          `    shell: ${JSON.stringify(shellOf(stage, outputOf(stage.name)))}`,
        ];
      }),
      '',
    ].join('\n'),
  }),
  turbo: ({ stages }) => ({
    'package.json': toJson({
      name: 'bench',
      private: true,
      packageManager: 'npm@10.0.0',
      scripts: Object.fromEntries(stages.map((one) => [one.name, shellOf(one, outputOf(one.name))])),
    }),
    'package-lock.json': toJson({ name: 'bench', lockfileVersion: 3, packages: { '': { name: 'bench' } } }),
    '.gitignore': 'artifacts\nnode_modules\n.turbo\n',
    'turbo.json': toJson({
      tasks: Object.fromEntries(
        stages.map((one) => [
          one.name,
          {
            dependsOn: one.reads,
            inputs: one.readsData ? ['data/**'] : one.reads.map(outputOf),
            outputs: [outputOf(one.name)],
          },
        ]),
      ),
    }),
  }),
  wireit: ({ stages }) => ({
    'package.json': toJson({
      name: 'bench',
      private: true,
      scripts: Object.fromEntries([...stages.map(({ name }) => name), 'all'].map((name) => [name, 'wireit'])),
      wireit: {
        ...Object.fromEntries(
          stages.map((one) => [
            one.name,
            {
              command: shellOf(one, outputOf(one.name)),
              files: one.readsData ? ['data/**'] : [],
              output: [outputOf(one.name)],
              dependencies: one.reads,
            },
          ]),
        ),
        all: { dependencies: stages.map(({ name }) => name) },
      },
    }),
  }),
};

function quoteAll(paths: readonly string[]): string {
  return paths.map((one) => JSON.stringify(one)).join(', ');
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
