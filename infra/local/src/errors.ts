/** What is not installed: its name, the places looked at, and the command that installs it. */
export interface Missing {
  readonly name: string;
  readonly lookedIn: readonly string[];
  readonly install: string;
}

/** A server cannot be started because it is not on this machine. */
export class MissingServerError extends Error {
  constructor(readonly missing: Missing) {
    super(
      `${missing.name} is not installed. Looked in: ${missing.lookedIn.join(', ')}. Install it with: ${missing.install}`,
    );
    this.name = 'MissingServerError';
  }
}

/** A server was started and ended, or did not answer in time; the message ends with the tail of its log. */
export class ServerStartError extends Error {
  constructor(
    readonly server: string,
    reason: string,
    readonly log: string,
  ) {
    super(`${server} ${reason}. Its log ends with:\n${log}`);
    this.name = 'ServerStartError';
  }
}

/** The folder belongs to a server whose owner is still running. */
export class DataDirInUseError extends Error {
  constructor(dataDir: string, ownerPid: number) {
    super(
      `${dataDir} is in use: process ${ownerPid} runs a server on it. Stop that process, or use another folder.`,
    );
    this.name = 'DataDirInUseError';
  }
}
