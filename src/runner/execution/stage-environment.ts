/**
 * What every program needs to find its files, its language and its libraries, and which GPUs its user means; none of it may
 * change results. Anything else a stage must declare under `variables:`.
 */
const alwaysPassed: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LANGUAGE',
  'TMPDIR',
  'TZ',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'SYSTEMROOT',
]);

/** The environment of a stage's process. */
export function stageEnvironment(
  declared: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const wanted = new Set(declared);
  const isPassed = (name: string): boolean =>
    alwaysPassed.has(name) || name.startsWith('LC_') || wanted.has(name);
  return Object.fromEntries(
    Object.entries(environment).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && isPassed(pair[0]),
    ),
  );
}
