import process from 'node:process';

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

/** Without these, programs on Windows do not start, or do not find their files. */
const alwaysPassedOnWindows: readonly string[] = [
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'COMMONPROGRAMFILES',
];

/** The environment of a stage's process: nothing else is in it, except for its paths and parameters if it is a command. */
export function stageEnvironment(
  declared: readonly string[],
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Readonly<Record<string, string>> {
  const isWindows = platform === 'win32';
  // On Windows, names differ in their letters' case from machine to machine (`Path`) and mean the same.
  const keyOf = (name: string): string => (isWindows ? name.toUpperCase() : name);
  const wanted = new Set(
    [...alwaysPassed, ...(isWindows ? alwaysPassedOnWindows : []), ...declared].map(keyOf),
  );
  const isPassed = (name: string): boolean => wanted.has(keyOf(name)) || keyOf(name).startsWith('LC_');
  return Object.fromEntries(
    Object.entries(environment).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && isPassed(pair[0]),
    ),
  );
}
