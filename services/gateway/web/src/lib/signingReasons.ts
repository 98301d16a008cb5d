// Why something does not sign, said to people. The services answer short technical English; this is the one place where it
// becomes words (signing.reasons in the locales, and signing.waysOut: what to do). What is not known here keeps its
// technical text, shown in small print.

/** Each code has words and a way out in the locales; the first pattern that fits decides. */
const REASONS = {
  'key-expired': /^key-expired$/,
  'agent-offline': /^agent-offline$/,
  'card-out': /^(card-)?out$|the card is (out|not here)/,
  'pin-low': /^pin-low$|few tries left|few attempts are left/,
  'pin-locked': /^pin-locked$|PIN is locked|CKR_PIN_LOCKED|PinLocked/,
  'pin-needed': /^pin-needed$|waits for its PIN/,
  'not-held': /^does-not-hold$|signature d(id|oes) not hold|certificate does not confirm/,
  refused: /^refused$/,
  late: /^expired$|did not begin in time|nobody confirmed it in time|came or waited too long/,
  cut: /connection was cut/,
  mechanism: /^mechanism$|unknown mechanism|this software token can/,
  'device-pin': /\bPIN\b|Pin[A-Z]|attempts|a person must log in/,
  'no-answer': /no answer|did not start|answered something else/,
  'no-module': /cannot be loaded|cannot be used/,
  'token-gone': /TOKEN_NOT_PRESENT|TokenNotPresent|NoSuchToken|DeviceRemoved/,
  'key-missing': /is not in the token|keys? vanished|sealed key|^key-missing$/,
  starting: /\b(starting|resetting|suspect|draining)$/,
  probe: /^probe$/,
  failing: /^(failing|failed)$/,
} as const

export type ReasonCode = keyof typeof REASONS | 'unknown'
const KNOWN = Object.keys(REASONS) as (keyof typeof REASONS)[]
export const REASON_CODES: readonly ReasonCode[] = [...KNOWN, 'unknown']

export interface Explained {
  code: ReasonCode
  /** as the service or the device told it, where this says more than the words; '' = nothing more */
  technical: string
}

/** told: a code, or a technical sentence; technical: what is known beside it. */
export function explained(told: string, technical = ''): Explained {
  const text = told.trim()
  const code = KNOWN.find((one) => REASONS[one].test(text)) ?? 'unknown'
  const ours = code !== 'unknown' && (/^[a-z-]+$/.test(text) || OWN_WORDS.test(text))
  return { code, technical: technical.trim() || (ours ? '' : text) }
}
/** Sentences of the signer's own, which say no more than our words do. */
const OWN_WORDS =
  /^(the card is (out|not here)|the card waits for its PIN(, with few tries left)?|the card's PIN is locked|the agent did not begin in time|the agent gave no answer|the agent's connection was cut|the signature did not hold|no answer in time)$/
