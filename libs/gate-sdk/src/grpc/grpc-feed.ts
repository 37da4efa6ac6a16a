import type { ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { FEED_SERVICE } from '@tallygate/contracts';
import type { HelloMessage, SubscribeRequest, SubscribeResponse } from '@tallygate/contracts';
import { FeedTransport } from '../service/feed-transport';
import type { FeedReceiver } from '../service/feed-transport';
import { bearer, grpcClient } from './channel';
import type { GrpcAddress } from './channel';

type FeedStream = ClientDuplexStream<Partial<SubscribeRequest>, SubscribeResponse>;

/** The feed over one bidirectional gRPC stream. */
export class GrpcFeed extends FeedTransport {
  override readonly name = 'grpc';
  private readonly client: ReturnType<typeof grpcClient>;

  constructor(private readonly address: GrpcAddress) {
    super();
    this.client = grpcClient(FEED_SERVICE, address);
  }

  override follow(hello: HelloMessage, receive: FeedReceiver, stop: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const subscribe = this.client['subscribe'] as unknown as (metadata: Metadata) => FeedStream;
      const stream = subscribe.call(this.client, bearer(this.address));
      const cancel = (): void => stream.cancel();
      stop.addEventListener('abort', cancel, { once: true });
      const end = (error?: Error): void => {
        stop.removeEventListener('abort', cancel);
        if (error === undefined) resolve();
        else reject(error);
      };
      stream.on('data', (message: SubscribeResponse) => {
        try {
          const reply = receive(message);
          if (reply !== null)
            stream.write(reply.message === 'ack' ? { ack: reply.ack } : { nack: reply.nack });
        } catch (error) {
          stream.cancel();
          end(error as Error);
        }
      });
      stream.on('error', (error: ServiceError) => end(error));
      stream.on('end', () => {
        stream.end();
        end();
      });
      if (stop.aborted) cancel();
      else stream.write({ hello });
    });
  }

  override close(): void {
    this.client.close();
  }
}
