import { serviceImage } from './service-process.js';

/** @throws where the tests of the image run without one */
export function imageUnderTest(): string {
  if (serviceImage === undefined)
    throw new Error('TEST_SERVICE_IMAGE is not set: npm run test:docker sets it');
  return serviceImage;
}
