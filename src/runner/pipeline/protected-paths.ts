import { relatePaths } from './path-trie.ts';
import type { PipelineFile } from './pipeline-file.ts';

/**
 * What people write and tools need. The runner replaces and deletes outputs, so an output may not be,
 * hold, or lie inside any of these: one mistyped `outputs:` would otherwise cost somebody's work.
 */
const written = [
  ...['bin', 'configs', 'docs', 'node_modules', 'schemas', 'scripts', 'src', 'stages', 'test'],
  'package.json',
];

/** The runner's own folder: its store, its records and logs. */
const store = 'artifacts/.cache';

export class ProtectedPaths {
  readonly #paths: readonly string[];

  constructor(pipeline: PipelineFile) {
    const { profiles, schemas, stages } = pipeline.content;
    const named = [
      pipeline.document.file,
      profiles?.folder,
      profiles?.schema,
      ...Object.values(schemas ?? {}),
      ...Object.values(stages).map(({ run }) => run),
    ];
    this.#paths = [...new Set([...written, store, ...named.filter((path) => path !== undefined)])];
  }

  /** What is wrong with an input (to follow `input "x" `), or undefined. */
  refuseInput(input: string): string | undefined {
    const relation = relatePaths(input, store);
    if (relation !== 'equal' && relation !== 'inside') return undefined;
    return `lies in "${store}", which changes with every run.`;
  }

  /** What is wrong with an output (to follow `output "x" `), or undefined. */
  refuse(output: string): string | undefined {
    const [top = ''] = output.split('/');
    if (top.startsWith('.')) return `would replace "${top}", which is not the pipeline's to write.`;
    for (const path of this.#paths) {
      switch (relatePaths(output, path)) {
        case 'equal':
          return `would replace "${path}", which people write.`;
        case 'inside':
          return `lies inside "${path}", which ${path === store ? 'is the runner’s own' : 'people write'}.`;
        case 'around':
          return `holds "${path}", which ${path === store ? 'is the runner’s own' : 'would be deleted with it'}.`;
        default:
      }
    }
    return undefined;
  }
}
