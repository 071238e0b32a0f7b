export interface Revision {
  readonly commit: string | null;
  readonly dirty: boolean | null;
}

/** The git commit of a folder and whether anything differs from it; nulls without git, a repository or a commit. */
export async function readRevision(folder: string): Promise<Revision> {
  try {
    const { simpleGit } = await import('simple-git');
    const git = simpleGit(folder);
    const commit = (await git.revparse(['HEAD'])).trim();
    const { files } = await git.status();
    return { commit, dirty: files.length > 0 };
  } catch {
    return { commit: null, dirty: null };
  }
}
