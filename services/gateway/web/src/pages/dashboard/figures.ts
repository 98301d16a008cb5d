// A figure opens the documents it counts: at once where one query shows them, by a choice of kinds where several do.
import { inject, type InjectionKey } from 'vue'
import type { Figure } from '@/api/stats'

export type OpenFigure = (title: string, figure: Figure) => void
export const OPEN_FIGURE: InjectionKey<OpenFigure> = Symbol('open figure')
export const useOpenFigure = (): OpenFigure => inject(OPEN_FIGURE, () => undefined)
