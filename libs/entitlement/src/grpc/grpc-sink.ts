import type { SubscribeRequest, SubscribeResponse } from '@tallygate/contracts';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { PatientSink } from '../service/feed-service';

export type FeedCall = ServerDuplexStream<SubscribeRequest, SubscribeResponse>;

/** A gRPC stream as a sink: HTTP/2 flow control says when a gate takes more. */
export class GrpcSink implements PatientSink {
  constructor(private readonly call: FeedCall) {}

  send(message: SubscribeResponse): boolean {
    return this.call.writable ? this.call.write(message) : true;
  }

  onReady(resume: () => void): void {
    this.call.on('drain', resume);
  }

  drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { call } = this;
      const settle = (done: () => void) => (): void => {
        call.off('drain', drain).off('close', gone).off('cancelled', gone);
        done();
      };
      const drain = settle(resolve);
      const gone = settle(() => reject(new Error('The gate is gone')));
      if (call.cancelled || !call.writable) return gone();
      call.once('drain', drain).once('close', gone).once('cancelled', gone);
    });
  }

  close(): void {
    this.call.end();
  }
}
