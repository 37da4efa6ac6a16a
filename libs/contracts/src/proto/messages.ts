/** The messages of the .proto files as proto-loader hands them out with PROTO_OPTIONS. */
export const PROTO_OPTIONS = {
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
} as const;

export const FEED_SERVICE = 'tallygate.feed.v1.FeedService';
export const CHECK_SERVICE = 'tallygate.check.v1.CheckService';

export interface WireEntryRef {
  readonly tenantId: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
}

export interface WireEntry extends WireEntryRef {
  readonly payload: string;
}

export interface HelloMessage {
  readonly gateId: string;
  readonly tenantId: string;
  readonly resumeToken: string;
  readonly digest: string;
}

export interface AckMessage {
  readonly token: string;
  readonly digest: string;
}

export interface NackMessage {
  readonly token: string;
  readonly problem: string;
  readonly entries: readonly WireEntryRef[];
}

export type SubscribeRequest =
  | { readonly message: 'hello'; readonly hello: HelloMessage }
  | { readonly message: 'ack'; readonly ack: AckMessage }
  | { readonly message: 'nack'; readonly nack: NackMessage };

export interface DeltaMessage {
  readonly from: string;
  readonly to: string;
  readonly upserts: readonly WireEntry[];
  readonly removes: readonly WireEntryRef[];
}

export interface BookmarkMessage {
  readonly token: string;
  /** Empty while something older is still on its way. */
  readonly digest: string;
  readonly serverTimeMicros: number;
}

export type SubscribeResponse =
  | { readonly message: 'snapshotBegin'; readonly snapshotBegin: { readonly token: string } }
  | { readonly message: 'snapshotChunk'; readonly snapshotChunk: { readonly entries: readonly WireEntry[] } }
  | {
      readonly message: 'snapshotEnd';
      readonly snapshotEnd: { readonly token: string; readonly digest: string };
    }
  | { readonly message: 'delta'; readonly delta: DeltaMessage }
  | { readonly message: 'bookmark'; readonly bookmark: BookmarkMessage }
  | { readonly message: 'reset'; readonly reset: { readonly cause: string } };

export interface CheckRequestMessage {
  readonly tenantId: string;
  readonly identity?: 'credentialSha256' | 'customer' | 'subject';
  readonly credentialSha256?: string;
  readonly customer?: string;
  readonly subject?: string;
  readonly features: readonly string[];
  readonly units: string;
  readonly maxPrice: string;
  readonly groups: Readonly<Record<string, string>>;
}

export interface CheckResponseMessage {
  readonly allow: boolean;
  readonly status: number;
  readonly reason: string;
  readonly decisionId: string;
  readonly action: string;
  readonly retryable: boolean;
  readonly violated: readonly { readonly feature: string; readonly reason: string }[];
  readonly snapshotRevision: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: string;
}
