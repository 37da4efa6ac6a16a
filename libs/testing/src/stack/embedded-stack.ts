import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type LocalServer,
  type SmtpServer,
  freePort,
  startNodeService,
  startSmtp,
} from '@tallygate/infra-local';
import { callHttp } from '../scenario/session';
import {
  type DeliveredMail,
  type GateName,
  type ServiceAction,
  type ServiceName,
  Stack,
} from '../scenario/stack';
import { switchFeed } from './feed-switch';
import { FrontGateways } from './front-gateways';
import { INTERNAL_SECRET, ROOT_KEY, STANDALONE_MAIN } from './settings';

export interface EmbeddedStackOptions {
  /** Folder that keeps the data; a temporary one, removed at the end, when not given. */
  readonly dataDir?: string;
  readonly port?: number;
  readonly gatePort?: number;
  readonly smtpPort?: number;
  /** Further settings of the process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The embedded default as a process of its own, with an SMTP server beside it that shows what was sent. */
export class EmbeddedStack extends Stack {
  override readonly name = 'embedded';
  override readonly rootKey = ROOT_KEY;
  override readonly internalSecret = INTERNAL_SECRET;

  private readonly front: FrontGateways;

  private constructor(
    override readonly urls: Readonly<Record<ServiceName | 'sandbox', string>>,
    override readonly agentUrl: string,
    /** The built-in gateway, when it was given something to stand in front of. */
    readonly proxyUrl: string,
    private readonly smtpServer: SmtpServer,
    readonly process: LocalServer,
    private readonly removeDir: string | null,
  ) {
    super();
    this.front = new FrontGateways({ url: agentUrl });
  }

  static async start(options: EmbeddedStackOptions = {}): Promise<EmbeddedStack> {
    const removeDir = options.dataDir ? null : await mkdtemp(join(tmpdir(), 'tallygate-embedded-'));
    const dataDir = options.dataDir ?? removeDir!;
    const smtp = await startSmtp({ port: options.smtpPort });
    const port = options.port ?? (await freePort());
    const gatePort = options.gatePort ?? (await freePort());
    const sandboxPort = await freePort();
    const proxyPort = await freePort();
    const process = await startNodeService({
      name: 'standalone',
      script: STANDALONE_MAIN,
      env: {
        PORT: String(port),
        GATE_PORT: String(gatePort),
        SANDBOX_PORT: String(sandboxPort),
        PROXY_PORT: String(proxyPort),
        DATA_DIR: dataDir,
        ROOT_KEY,
        INTERNAL_SECRET,
        SMTP_URL: smtp.url,
        LOG_LEVEL: 'warn',
        LIVE_CHECK_MS: '2000',
        ...options.env,
      },
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      logFile: join(dataDir, 'standalone.log'),
    });
    const url = `http://127.0.0.1:${port}`;
    const services = {
      ingestion: url,
      ledger: url,
      billing: url,
      dunning: url,
      notifier: url,
      entitlement: url,
    };
    const urls = { ...services, sandbox: `http://127.0.0.1:${sandboxPort}` };
    const agent = `http://127.0.0.1:${gatePort}`;
    return new EmbeddedStack(urls, agent, `http://127.0.0.1:${proxyPort}`, smtp, process, removeDir);
  }

  override mails(): readonly DeliveredMail[] {
    return this.smtpServer.mails;
  }

  override smtp(state: 'down' | 'up'): Promise<void> {
    return state === 'down' ? this.smtpServer.down() : this.smtpServer.up();
  }

  override async publishUsage(tenantId: string, event: unknown): Promise<void> {
    await this.internal('/internal/usage-raw', { tenantId, event });
  }

  override gateway(name: GateName): Promise<string> {
    return name === 'agent' ? Promise.resolve(this.agentUrl) : this.front.url(name);
  }

  override async service(action: ServiceAction, name: string): Promise<void> {
    if (action === 'stop' || action === 'start')
      throw new Error(
        `"${action}: ${name}" is not supported on the embedded stack, whose services are one process; use --stack real`,
      );
    await switchFeed(action, name, { gateUrl: this.agentUrl, internalSecret: INTERNAL_SECRET });
  }

  override async close(): Promise<void> {
    await this.front.stop();
    await this.process.stop();
    await this.smtpServer.stop();
    if (this.removeDir) await rm(this.removeDir, { recursive: true, force: true });
  }

  private async internal(path: string, body: unknown): Promise<void> {
    const headers = { 'x-tallygate-internal': INTERNAL_SECRET };
    const answer = await callHttp(`${this.urls.ingestion}${path}`, { method: 'POST', body, headers });
    if (answer.status >= 300)
      throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
