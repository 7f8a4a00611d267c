/** A folder of one test. `await using` removes it; the leak guard names those that were not. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}
/** Makes an empty folder under the system's temporary folder; `purpose` shows in its name. */
export declare function temporaryFolder(purpose?: string): Promise<TemporaryFolder>;
/** Folders made here that are still there. */
export declare function foldersLeft(): string[];
