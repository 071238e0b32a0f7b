import Papa from 'papaparse';

/** The rows of a table by column, and the names of its columns. */
export function parseRecords(text: string): Record<string, string>[] & { readonly columns: string[] } {
  const { data, meta } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  return Object.assign(data, { columns: meta.fields ?? [] });
}
