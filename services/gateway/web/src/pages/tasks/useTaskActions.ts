// 生成申报数据, giving it up and deleting a task, each with its question and its answer.
import { ref } from 'vue'
import { tasks } from '@/api/calls'
import type { Task } from '@/api/types'
import { useAsk } from '@/lib/useAsk'
import { useProblem } from '@/lib/useProblem'
import { count, t } from '@/locales'

export function useTaskActions(after: (gone?: boolean) => unknown) {
  const { tell } = useProblem()
  const ask = useAsk()
  const busy = ref('')

  async function run(task: Task, call: () => Promise<unknown>, gone = false): Promise<void> {
    busy.value = task.id
    try {
      await call()
      await after(gone)
    } catch (error) {
      tell(error)
      await after()
    } finally {
      busy.value = ''
    }
  }
  async function generate(task: Task): Promise<void> {
    const question = t('tasks.generateAsk', { no: task.task_no, n: count(task.documents) })
    if (await ask(question, t('tasks.generate'))) await run(task, () => tasks.generate(task.id))
  }
  const giveUp = (task: Task) => run(task, () => tasks.giveUp(task.id))
  async function remove(task: Task): Promise<void> {
    const question = t('tasks.removeAsk', { no: task.task_no, n: count(task.documents) })
    if (await ask(question, t('form.delete'), true)) await run(task, () => tasks.remove(task.id), true)
  }
  return { busy, generate, giveUp, remove }
}
