// In whose name one files, and as what: it decides what may be entered.
import { describe, expect, it } from 'vitest'
import { normaliseSession } from '@/lib/session'

const own = { code: '91A', name: '甲', kinds: ['ecommerce', 'agent'] }
const client = {
  id: 'c',
  name: '客户',
  mandate: { from: null, to: null, kinds: ['order'], actions: ['read'] },
  enterprise: { code: '91C', name: '客户企业', kinds: ['logistics'] },
}

describe('the session', () => {
  it('files for the own enterprise in the kinds it has', () => {
    const info = normaliseSession({ enterprise: own, kinds: null })
    expect(info.filing).toEqual(own)
    expect(info.kinds).toBeNull()
  })
  it('files for the client while one acts for it, as its declaring agent', () => {
    const info = normaliseSession({ enterprise: own, client, kinds: ['order'] })
    expect(info.filing).toEqual({ code: '91C', name: '客户企业', kinds: ['logistics', 'agent'] })
    // the header still says who one is
    expect(info.enterprise).toEqual({ code: '91A', name: '甲' })
    expect(info.kinds).toEqual(['order'])
  })
  it('knows nothing of an enterprise that is not on record', () => {
    expect(normaliseSession({}).filing).toEqual({ code: '', name: '', kinds: [] })
  })
})
