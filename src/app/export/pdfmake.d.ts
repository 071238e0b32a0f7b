/** The part of pdfmake that is used here; the package has no types. */
declare module 'pdfmake' {
  interface Size {
    readonly width: number;
    readonly height: number;
  }

  const pdfmake: {
    addFonts(fonts: Readonly<Record<string, Readonly<Record<string, string>>>>): void;
    setLocalAccessPolicy(isAllowed: (path: string) => boolean): void;
    setUrlAccessPolicy(isAllowed: (url: string) => boolean): void;
    createPdf(document: {
      /** Points. */
      readonly pageSize: Size;
      readonly pageMargins: number;
      readonly content: readonly (Size & { readonly svg: string })[];
      readonly defaultStyle: { readonly font: string };
      readonly info: { readonly title: string; readonly subject: string; readonly creationDate: Date };
    }): { getBuffer(): Promise<Buffer> };
  };
  export default pdfmake;
}
