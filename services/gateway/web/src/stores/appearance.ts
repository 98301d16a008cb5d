// How the pages look to this person: light, dark or as the system says; rows with air or without. Colours and heights
// themselves stand in styles/tokens.css; here only the switch on <html> is set.
import { defineStore } from 'pinia'
import { computed, ref, watchEffect } from 'vue'
import { readText } from '@/lib/storage'
import { THEME_MIRROR, usePreferences } from './preferences'

export const THEMES = ['light', 'dark', 'system'] as const
export const DENSITIES = ['dense', 'comfortable'] as const
export type Theme = (typeof THEMES)[number]
export type Density = (typeof DENSITIES)[number]

function oneOf<T extends string>(choices: readonly T[], value: unknown, fallback: T): T {
  return choices.find((choice) => choice === value) ?? fallback
}

export const useAppearance = defineStore('appearance', () => {
  const preferences = usePreferences()
  const asked = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)')
  const systemDark = ref(asked?.matches ?? false)
  asked?.addEventListener('change', (event) => (systemDark.value = event.matches))

  // signed out, the page stays as it was: what the last person chose is mirrored in the browser
  const theme = computed(() => oneOf(THEMES, preferences.get<unknown>('theme', readText(THEME_MIRROR)), 'system'))
  const density = computed(() => oneOf(DENSITIES, preferences.get<unknown>('density', null), 'dense'))
  const dark = computed(() => theme.value === 'dark' || (theme.value === 'system' && systemDark.value))

  watchEffect(() => {
    document.documentElement.classList.toggle('dark', dark.value)
    document.documentElement.dataset.density = density.value
  })
  return {
    theme,
    density,
    dark,
    setTheme: (value: Theme) => preferences.put('theme', value),
    setDensity: (value: Density) => preferences.put('density', value),
  }
})
