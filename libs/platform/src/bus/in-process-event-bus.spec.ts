import { eventBusConformance, message, Recorder } from './event-bus.conformance';
import { InProcessEventBus } from './in-process-event-bus';
import { PublishError } from './publish-error';

eventBusConformance('the in-process bus', async () => new InProcessEventBus());

describe('the in-process bus', () => {
  it('has every subscriber done when the publish resolves', async () => {
    const bus = new InProcessEventBus();
    const reader = new Recorder();
    await bus.subscribe({ topics: ['t'], group: 'g', handle: reader.handle });
    await bus.publish('t', [message('a', '1')]);
    expect(reader.texts()).toEqual(['1']);
    expect(reader.slices[0]).toMatchObject({ ephemeral: true });
    expect(reader.handled[0]?.offset).toBe(-1n);
  });

  it('tells the publisher exactly which messages were not taken, with those behind them', async () => {
    const bus = new InProcessEventBus();
    const handle = async ({ messages }: { readonly messages: readonly { readonly value: Buffer }[] }) => {
      if (messages[0]?.value.toString() === '2') throw new Error('refused');
    };
    await bus.subscribe({ topics: ['t'], group: 'g', maxSlice: 1, handle });
    const all = ['1', '2', '3'].map((text) => message('a', text));
    const error = await bus.publish('t', [...all, message('zz', '4')]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PublishError);
    expect((error as PublishError).failed.map((one) => one.value.toString())).toEqual(['2', '3']);
  });

  it('refuses a second reader of a topic in one group', async () => {
    const bus = new InProcessEventBus();
    await bus.subscribe({ topics: ['t'], group: 'g', handle: async () => undefined });
    await expect(
      bus.subscribe({ topics: ['t', 'u'], group: 'g', handle: async () => undefined }),
    ).rejects.toThrow('already reads');
  });
});
