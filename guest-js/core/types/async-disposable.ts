/** `AsyncDisposable`, if the `lib` of the app's tsconfig knows it; else nothing. */
export type AsyncDisposableIfKnown = SymbolConstructor extends {
  readonly asyncDispose: infer S extends symbol;
}
  ? { readonly [K in S]: () => Promise<void> }
  : Record<never, never>;
