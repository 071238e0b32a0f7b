import { formatPath, type Json, type JsonPath } from '../../schema/json.ts';
import { JsonSchema } from '../../schema/json-schema.ts';
import { throwProblems } from '../../schema/problems.ts';
import { checkSchema } from '../../schema/schema-problems.ts';
import { readYamlFile, type YamlDocument } from '../../schema/yaml-document.ts';

export type InputEntry =
  | string
  | { readonly path: string; readonly external?: boolean; readonly optional?: boolean };

export interface StageEntry {
  readonly when?: boolean | string;
  readonly matrix?: { readonly [variable: string]: string | readonly Json[] };
  readonly run?: string;
  readonly cmd?: readonly (string | number)[];
  readonly params?: readonly string[];
  readonly inputs?: readonly InputEntry[] | { readonly [name: string]: InputEntry };
  readonly outputs: readonly string[];
  readonly resume?: readonly string[];
  readonly variables?: readonly string[];
  readonly facts?: readonly string[];
  readonly tools?: readonly (string | readonly string[])[];
  readonly hermetic?: boolean;
  readonly resources?: {
    readonly cpu?: number | string;
    readonly memory?: number | string;
    readonly gpu?: number | string;
    readonly time?: number | string;
  };
  readonly executor?: 'local';
}

/** `pipeline.yaml` as schemas/pipeline.schema.json describes it. */
export interface PipelineContent {
  readonly version: 1;
  readonly profiles?: { readonly folder: string; readonly default: string; readonly schema?: string };
  /** Settings that say how or where this machine works, and change no result. */
  readonly machine?: readonly string[];
  readonly cache?: { readonly remote: string; readonly endpoint?: string; readonly region?: string };
  readonly schemas?: { readonly [glob: string]: string };
  readonly stages: { readonly [name: string]: StageEntry };
}

export interface PipelineFile {
  readonly document: YamlDocument;
  readonly content: PipelineContent;
}

/** Reads a pipeline file and checks it against its schema. @throws {ConfigurationError} with the place of every problem */
export async function readPipelineFile(absolutePath: string, file: string): Promise<PipelineFile> {
  const [document, { default: definition }] = await Promise.all([
    readYamlFile(absolutePath, file),
    import('../../../schemas/pipeline.schema.json', { with: { type: 'json' } }),
  ]);
  const schema = new JsonSchema(definition, 'schemas/pipeline.schema.json');
  throwProblems(
    await checkSchema(schema, {
      value: document.value,
      place: (path, part) => document.positionOf(path, part),
      describe: describePipelinePath,
      suggestKey: suggestPlace,
    }),
  );
  // The schema has just checked the shape.
  return { document, content: document.value as unknown as PipelineContent };
}

/** `stage "train": inputs[0]: `. */
function describePipelinePath(path: JsonPath): string {
  const [first, stage, ...rest] = path;
  if (first !== 'stages' || stage === undefined) return path.length === 0 ? '' : `${formatPath(path)}: `;
  return `stage "${stage}": ${rest.length === 0 ? '' : `${formatPath(rest)}: `}`;
}

/** What only a cluster understands, and is asked for where that is described. */
const clusterKeys: readonly string[] = ['partition', 'account', 'qos', 'constraint', 'arrayLimit', 'flags'];

function suggestPlace(path: JsonPath, key: string): string | undefined {
  if (path[0] !== 'stages' || path[2] !== 'resources' || !clusterKeys.includes(key)) return undefined;
  return `It belongs in configs/executors/slurm.yaml: \`stages: { ${path[1]}: { ${key}: … } }\`.`;
}
