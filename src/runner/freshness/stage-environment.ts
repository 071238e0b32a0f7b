/**
 * What every program needs to find its files, language and libraries, and which GPUs to use; none of it may
 * change results. A stage must declare anything else under `variables:`, or have a fact that covers it.
 */
const alwaysPassed: readonly string[] = [
  'PATH',
  'HOME',
  'LANG',
  'LANGUAGE',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
];

/** The environment of a stage's process: nothing else is in it, except for its paths and parameters if it is a command. */
export function stageEnvironment(
  declared: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const wanted = new Set([...alwaysPassed, ...declared]);
  const isPassed = (name: string): boolean => wanted.has(name) || name.startsWith('LC_');
  return Object.fromEntries(
    Object.entries(environment).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && isPassed(pair[0]),
    ),
  );
}
