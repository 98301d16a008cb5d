// How the state of a signing key is told: which one signs, which could, which cannot.
import type { DeviceKey, StateColour } from '@/api/types'

export type KeyState = 'active' | 'usable' | 'expired' | 'unavailable'

export const keyState = (key: DeviceKey): KeyState => (key.state === 'usable' && key.active ? 'active' : key.state)
export const canActivate = (key: DeviceKey): boolean => key.state === 'usable' && !key.active
export const KEY_COLOURS: Record<KeyState, StateColour> = {
  active: 'green',
  usable: 'grey',
  expired: 'red',
  unavailable: 'amber',
}
