/** The files that a run leaves in the folder under `timeline:` in pipeline.yaml, which the report shows. */
export const TIMELINE_FILES = { picture: 'timeline.svg', data: 'timeline.csv' } as const;
