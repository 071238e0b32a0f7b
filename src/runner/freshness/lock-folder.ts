/** The folder of the records that are meant to be committed; relative to the project. */
export const lockFolder = 'repro.lock';
