/**
 * server.properties of a single KRaft node. A quorum named in the configuration, not in the data: so the formatted
 * folder mentions no port, can be copied from a template, and a kept folder can start again on another port.
 */
export function kafkaProperties(
  dataDir: string,
  ports: { readonly broker: number; readonly controller: number },
  settings: Readonly<Record<string, string>>,
): string {
  const merged = { ...PROPERTIES, ...addresses(ports), 'log.dirs': dataDir, ...settings };
  return Object.entries(merged)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function addresses({ broker, controller }: { broker: number; controller: number }): Record<string, string> {
  return {
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}`,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
  };
}

const PROPERTIES: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  // 50 partitions each by default: the first consumer would wait for their creation. With one, a coordinator that
  // answers for one group answers for all.
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  // Lets a test's consumer be declared dead soon; the default refuses anything below 6 s.
  'group.min.session.timeout.ms': '100',
  // A node restarted after kill -9 is refused until its old session has run out: 9 s by default.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  // 128 MB of heap by default, for compaction nobody here needs.
  'log.cleaner.dedupe.buffer.size': '8388608',
};

/** Everything to stdout, which is the log file. */
export const KAFKA_LOGGING = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`;
