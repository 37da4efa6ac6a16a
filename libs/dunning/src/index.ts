export { DUNNING_CONTROLLERS, DunningModule, dunningProvisioning } from './dunning.module';
export type { DunningOptions } from './dunning.module';
export { Paying } from './service/paying.service';
export { Refunding } from './service/refunding.service';
export { PaymentProvider } from './service/ports';
