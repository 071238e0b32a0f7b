import { execFileSync } from 'node:child_process';

/** @param named instead of those that are usual. @throws if none can import the module */
export function findPython(module: 'numpy' | 'torch', named?: string): string {
  const candidates = named === undefined ? ['python3', '/usr/bin/python3'] : [named];
  const found = candidates.find((python) => {
    try {
      execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw new Error(
    `${candidates.join(' and ')} cannot import ${module}. Install it (on Debian: apt install python3-${module}), or use a Python that has it.`,
  );
}
