import type { Type } from '@nestjs/common';
import { BILLING_CONTROLLERS } from '@tallygate/billing';
import { DUNNING_CONTROLLERS } from '@tallygate/dunning';
import { ENTITLEMENT_CONTROLLERS } from '@tallygate/entitlement';
import { LEDGER_CONTROLLERS } from '@tallygate/ledger';
import { INGESTION_CONTROLLERS } from '@tallygate/metering';
import { NOTIFICATION_CONTROLLERS } from '@tallygate/notification';
import { type OpenApiDocument, openApiDocument, PROCESS_CONTROLLERS } from '@tallygate/platform';

/** What answers the routes of each service, by the name it runs under. */
export const SERVICES: Readonly<Record<string, readonly Type[]>> = {
  billing: BILLING_CONTROLLERS,
  dunning: DUNNING_CONTROLLERS,
  entitlement: ENTITLEMENT_CONTROLLERS,
  ingestion: INGESTION_CONTROLLERS,
  ledger: LEDGER_CONTROLLERS,
  notifier: NOTIFICATION_CONTROLLERS,
};

export const ALL_CONTROLLERS: readonly Type[] = [...Object.values(SERVICES).flat(), ...PROCESS_CONTROLLERS];

/** One document for each service, one for all of them as the embedded default serves it, one for what is internal. */
export function documents(): Readonly<Record<string, OpenApiDocument>> {
  const services = Object.entries(SERVICES).map(([name, controllers]) => [
    name,
    openApiDocument({ name, controllers: [...controllers, ...PROCESS_CONTROLLERS] }),
  ]);
  return {
    ...(Object.fromEntries(services) as Record<string, OpenApiDocument>),
    standalone: openApiDocument({ name: 'standalone', controllers: ALL_CONTROLLERS }),
    internal: openApiDocument({ name: 'internal', controllers: ALL_CONTROLLERS, audience: 'internal' }),
  };
}

/** As it lies under docs/openapi. */
export const documentText = (document: OpenApiDocument): string => `${JSON.stringify(document, null, 1)}\n`;
