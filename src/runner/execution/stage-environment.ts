/**
 * What every program needs to find its files, language and libraries, and which GPUs to use; none of it may
 * change results. A stage must declare anything else under `variables:`, or have a fact that covers it.
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

/**
 * The environment of a stage's process.
 *
 * @param declared what it sees besides
 */
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
