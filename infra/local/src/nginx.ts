import { findExecutable } from './executables';
import {
  startGateway,
  type GatewayConfig,
  type GatewayKind,
  type GatewayOptions,
  type GatewayServer,
} from './gateway';

export interface NginxOptions extends GatewayOptions {
  /**
   * A whole nginx.conf. Where it is silent, what a private instance needs is added: `daemon off`, `events`, the log,
   * and folders for buffered bodies; `pid` and `daemon` are replaced, so a configuration meant for production works.
   */
  readonly config: GatewayConfig;
}

const NGINX: GatewayKind = {
  name: 'nginx',
  command: () => findExecutable('nginx'),
  configFile: () => 'nginx.conf',
  args: (configFile, { dir }) => ['-p', dir, '-e', 'stderr', '-c', configFile],
  endSignal: 'TERM',
  complete: (text, { dir }) => completeNginx(text, dir),
};

const BUFFERS = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'];

/** @throws MissingServerError, ServerStartError */
export function startNginx({ config, ...options }: NginxOptions): Promise<GatewayServer> {
  return startGateway(NGINX, config, options);
}

function completeNginx(text: string, dir: string): string {
  const kept = text.replace(/^[ \t]*(?:pid|daemon)[ \t][^;]*;/gm, '');
  const top = [
    'daemon off;',
    `pid ${dir}/nginx.pid;`,
    ...unless(kept, 'error_log', 'error_log stderr warn;'),
    // Workers of a root nginx run as nobody otherwise, who may not enter this folder.
    ...(process.getuid?.() === 0 ? unless(kept, 'user', 'user root root;') : []),
    ...unless(kept, 'events', 'events {}'),
  ];
  return `${top.join('\n')}\n${kept.replace(/^([ \t]*http[ \t\r\n]*\{)/m, `$1\n${httpDefaults(kept, dir)}`)}`;
}

function httpDefaults(text: string, dir: string): string {
  const buffers = BUFFERS.flatMap((name) =>
    unless(text, `${name}_temp_path`, `  ${name}_temp_path ${dir}/${name};`),
  );
  return [...unless(text, 'access_log', '  access_log off;'), ...buffers].join('\n');
}

function unless(text: string, directive: string, line: string): string[] {
  return new RegExp(`^[ \\t]*${directive}\\b`, 'm').test(text) ? [] : [line];
}
