import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { freePort, onFreePort } from './free-port';
import type { LocalServer } from './local-server';
import { SupervisedProcess, type SpawnOptions } from './supervised-process';
import { makeTempDir } from './temp-dir';

/** What a gateway's configuration must be told. */
export interface GatewayPorts {
  /** Where the gateway must listen, on 127.0.0.1. */
  readonly port: number;
  /** A second free port, for an admin interface or a second listener. */
  readonly adminPort: number;
  /** The gateway's own folder, where `files` are; removed when it stops. */
  readonly dir: string;
}

/** Text in which `{{port}}`, `{{adminPort}}` and `{{dir}}` are replaced, or a function that writes the text. */
export type GatewayConfig = string | ((ports: GatewayPorts) => string);

export interface GatewayOptions {
  /** A free port when not given. */
  readonly port?: number;
  /** Further files by path relative to the gateway's folder: scripts, certificates, descriptors. Same placeholders. */
  readonly files?: Readonly<Record<string, GatewayConfig>>;
}

export interface GatewayServer extends LocalServer {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** What the gateway has written to stdout and stderr so far; while it runs. */
  readLog(): Promise<string>;
}

/** How one kind of gateway is run. */
export interface GatewayKind {
  readonly name: string;
  /** @throws MissingServerError */
  command(): string;
  /** Name of the configuration file, given its text. */
  configFile(text: string): string;
  args(configFile: string, ports: GatewayPorts): string[];
  readonly endSignal: SpawnOptions['endSignal'];
  env?(ports: GatewayPorts): Record<string, string>;
  /** Adds to the text what running beside others needs. */
  complete?(text: string, ports: GatewayPorts): string;
}

const HOST = '127.0.0.1';
const READY_MS = 30_000;
const CONNECT_MS = 1_000;

/** @throws MissingServerError, ServerStartError with the gateway's own complaint about its configuration */
export function startGateway(
  kind: GatewayKind,
  config: GatewayConfig,
  options: GatewayOptions,
): Promise<GatewayServer> {
  return onFreePort(options.port, (port) => startOn(port, kind, config, options.files ?? {}));
}

async function startOn(
  port: number,
  kind: GatewayKind,
  config: GatewayConfig,
  files: Readonly<Record<string, GatewayConfig>>,
): Promise<GatewayServer> {
  const command = kind.command();
  const ports = { port, adminPort: await freePort(), dir: await makeTempDir(kind.name) };
  const configFile = await writeFiles(kind, config, files, ports).catch(async (error: unknown) => {
    await rm(ports.dir, { recursive: true, force: true });
    throw error;
  });
  const server = await launch(kind, command, configFile, ports);
  await server.ready(() => accepts(port), READY_MS);
  return describe(server, ports);
}

async function writeFiles(
  kind: GatewayKind,
  config: GatewayConfig,
  files: Readonly<Record<string, GatewayConfig>>,
  ports: GatewayPorts,
): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(ports.dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, render(content, ports));
  }
  const text = `${render(config, ports).trimEnd()}\n`; // HAProxy insists on the last line feed
  if (!text.includes(String(ports.port))) throw new Error(unheardPort(kind.name, ports.port));
  const configFile = join(ports.dir, kind.configFile(text));
  await writeFile(configFile, kind.complete?.(text, ports) ?? text);
  return configFile;
}

function unheardPort(name: string, port: number): string {
  return `the configuration of ${name} does not mention port ${port}: write {{port}} in it, or give the option port`;
}

function render(config: GatewayConfig, ports: GatewayPorts): string {
  if (typeof config === 'function') return config(ports);
  return config
    .replaceAll('{{port}}', String(ports.port))
    .replaceAll('{{adminPort}}', String(ports.adminPort))
    .replaceAll('{{dir}}', ports.dir);
}

function launch(
  kind: GatewayKind,
  command: string,
  configFile: string,
  ports: GatewayPorts,
): Promise<SupervisedProcess> {
  return SupervisedProcess.spawn({
    name: kind.name,
    command,
    args: kind.args(configFile, ports),
    logFile: join(ports.dir, 'server.log'),
    cwd: ports.dir,
    removeDir: ports.dir,
    endSignal: kind.endSignal,
    env: kind.env?.(ports) ?? {},
  });
}

function describe(server: SupervisedProcess, { port, adminPort, dir }: GatewayPorts): GatewayServer {
  return {
    name: server.name,
    pid: server.pid,
    host: HOST,
    port,
    adminPort,
    url: `http://${HOST}:${port}`,
    readLog: () => readFile(join(dir, 'server.log'), 'utf8'),
    stop: () => server.stop(),
    kill: () => server.kill(),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port, timeout: CONNECT_MS });
    const answer = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', answer(true));
    socket.once('timeout', answer(false));
    socket.once('error', answer(false));
  });
}
