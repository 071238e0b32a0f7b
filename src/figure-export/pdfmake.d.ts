/** The part of pdfmake that is used here; the package has no types. */
declare module 'pdfmake' {
  interface FontFiles {
    readonly normal: string;
    readonly bold: string;
    readonly italics: string;
    readonly bolditalics: string;
  }

  interface Content {
    readonly svg: string;
    readonly width: number;
    readonly height: number;
  }

  interface DocumentDefinition {
    /** Points. */
    readonly pageSize: { readonly width: number; readonly height: number };
    readonly pageMargins: number;
    readonly content: readonly Content[];
    readonly defaultStyle: { readonly font: string };
    readonly info: { readonly title: string; readonly subject: string; readonly creationDate: Date };
  }

  const pdfmake: {
    addFonts(fonts: Readonly<Record<string, FontFiles>>): void;
    setLocalAccessPolicy(isAllowed: (path: string) => boolean): void;
    setUrlAccessPolicy(isAllowed: (url: string) => boolean): void;
    createPdf(document: DocumentDefinition): { getBuffer(): Promise<Buffer> };
  };
  export default pdfmake;
}
