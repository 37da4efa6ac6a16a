/** A server process started here. It never outlives the process that started it, however that process ends. */
export interface LocalServer {
  readonly name: string;
  /** Process id of the server itself, not of its supervisor. */
  readonly pid: number;
  /** Ends the server and removes its temporary folder. Resolves when no process is left; calling it again is harmless. */
  stop(): Promise<void>;
  /** SIGKILL at once to the server and its children, as a crash of the machine would; a `dataDir` is kept as it is. */
  kill(): Promise<void>;
}
