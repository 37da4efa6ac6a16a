import { join } from 'node:path';
import { fromJSON, loadSync } from '@grpc/proto-loader';
import { EXT_AUTHZ_DESCRIPTOR } from './ext-authz-descriptor';

/** Functions compare by identity, and the serialized file by its name; everything else of a definition is data. */
const asData = (definition: object): unknown =>
  JSON.parse(
    JSON.stringify(definition, (key, value: unknown) => (key === 'fileDescriptorProtos' ? undefined : value)),
  );

describe('the embedded descriptor of ext_authz', () => {
  it('says the same as the .proto file', () => {
    const options = { keepCase: false };
    const embedded = fromJSON(EXT_AUTHZ_DESCRIPTOR, options);
    expect(asData(embedded)).toEqual(asData(loadSync(join(__dirname, 'ext-authz.proto'), options)));
    expect(Object.keys(embedded)).toContain('envoy.service.auth.v3.Authorization');
  });
});
