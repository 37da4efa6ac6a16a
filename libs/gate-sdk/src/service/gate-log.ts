/** Where the gate says what an operator should know; pino's shape. */
export interface GateLog {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
}

export const noLog: GateLog = { info: () => undefined, warn: () => undefined };
