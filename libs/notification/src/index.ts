export {
  NOTIFICATION_CONTROLLERS,
  NotificationModule,
  notificationProvisioning,
} from './notification.module';
export type { NotificationOptions } from './notification.module';
