export { ENTITLEMENT_CONTROLLERS, EntitlementModule, entitlementProvisioning } from './entitlement.module';
export type { EntitlementOptions } from './entitlement.module';
export { CheckService } from './service/check-service';
export type { Checked, EntitlementView } from './service/check-service';
export { GateRegistry } from './service/gate-registry';
export type { GateStatus } from './service/gate-registry';
export { Propagation } from './service/propagation';
export { GrpcServer } from './grpc/grpc-server';
export type { GrpcOptions } from './grpc/grpc-server';
