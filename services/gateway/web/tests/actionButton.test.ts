// The button that says why it cannot be used.
import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import ActionButton from '@/widgets/ActionButton.vue'

describe('a button that cannot be used', () => {
  it('stays so for everybody while something else on its row is under way', async () => {
    const page = mount(ActionButton, { props: { why: '先确认' }, slots: { default: '启用' } })
    const button = () => page.find('button').attributes()
    await page.setProps({ loading: true })
    await page.setProps({ loading: false })
    expect([button()['aria-disabled'], button().disabled]).toEqual(['true', undefined])
    await page.setProps({ why: null })
    expect(button()['aria-disabled']).toBe('false')
    await page.setProps({ loading: true })
    await page.setProps({ loading: false, why: '先确认' })
    expect(button()['aria-disabled']).toBe('true')
  })
})
