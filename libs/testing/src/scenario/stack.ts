/** Services that a scenario may address or stop, by the names of the format. */
export type ServiceName = 'ingestion' | 'ledger' | 'billing' | 'dunning' | 'notifier' | 'entitlement';
/** What a scenario may do to a part of the system. */
export type ServiceAction = 'stop' | 'start' | 'cut' | 'join';
export type GateName = 'agent' | 'nginx' | 'caddy' | 'envoy' | 'haproxy' | 'sdk';

/** An e-mail as the SMTP server took it. */
export interface DeliveredMail {
  readonly to: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** A running system under test, as its users see it: addresses, and switches for what a scenario may break. */
export abstract class Stack {
  abstract readonly name: 'embedded' | 'real';
  abstract readonly urls: Readonly<Record<ServiceName | 'sandbox', string>>;
  /** The gate agent. */
  abstract readonly agentUrl: string;
  abstract readonly rootKey: string;
  abstract readonly internalSecret: string;
  /** Everything the SMTP server took, oldest first. */
  abstract mails(): readonly DeliveredMail[];
  abstract smtp(state: 'down' | 'up'): Promise<void>;
  /** Puts one message on usage.raw, as a gateway's producer would. */
  abstract publishUsage(tenantId: string, event: unknown): Promise<void>;
  /** Where to send requests of a gateway; one in front of the agent starts when it is first asked for. */
  abstract gateway(name: GateName): Promise<string>;
  abstract service(action: ServiceAction, name: string): Promise<void>;
  abstract close(): Promise<void>;
}
