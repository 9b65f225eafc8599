/** Signatures of deliveries by the Standard Webhooks scheme (standardwebhooks.com, specification version 1.0.0). */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 300;
const PREFIX = 'whsec_';

/** Whether a delivery is from who has the secret, and new. `body` is as it was sent. */
export function isGenuine(
	secret: string,
	headers: { [name: string]: string | string[] | undefined },
	body: Buffer,
	now: number = Date.now(),
): boolean {
	const id = headers['webhook-id'];
	const timestamp = headers['webhook-timestamp'];
	const signatures = headers['webhook-signature'];
	if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
	if (!/^\d+$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
	const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
	const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
	return signatures.split(' ').some((one) => {
		const [version, text] = one.split(',');
		const given = Buffer.from(text ?? '', 'base64');
		return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
	});
}
