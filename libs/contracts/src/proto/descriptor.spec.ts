import { fromJSON, loadSync } from '@grpc/proto-loader';
import { PROTO_DESCRIPTOR } from './descriptor';
import { CHECK_SERVICE, FEED_SERVICE, PROTO_OPTIONS } from './messages';

const FILES = ['tallygate/feed/v1/feed.proto', 'tallygate/check/v1/check.proto'];

/** Functions compare by identity; everything else of a definition is data. */
const asData = (definition: object): unknown => JSON.parse(JSON.stringify(definition));

describe('the embedded descriptor', () => {
  const embedded = fromJSON(PROTO_DESCRIPTOR, PROTO_OPTIONS);
  const files = loadSync(FILES, { ...PROTO_OPTIONS, includeDirs: [__dirname] });

  it.each(Object.keys(files))('says the same as the .proto file about %s', (name) => {
    expect(embedded[name]).toBeDefined();
    const [mine, theirs] = [embedded[name], files[name]].map((each) => asData(each ?? {}));
    expect(withoutFileBytes(mine)).toEqual(withoutFileBytes(theirs));
  });

  it('defines both services and nothing more', () => {
    expect(Object.keys(embedded).sort()).toEqual(Object.keys(files).sort());
    expect(embedded[FEED_SERVICE]).toBeDefined();
    expect(embedded[CHECK_SERVICE]).toBeDefined();
  });
});

/** The serialized file differs in its name and syntax only; the types in it are compared above. */
function withoutFileBytes(definition: unknown): unknown {
  return JSON.parse(
    JSON.stringify(definition, (key, value) => (key === 'fileDescriptorProtos' ? undefined : value)),
  );
}
