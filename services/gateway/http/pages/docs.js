// Draws openapi.json. Text is only ever set as text, never as markup.
'use strict'

const make = (tag, text, className) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (className) element.className = className
  return element
}

function shape(schema, all, depth = 0) {
  if (!schema) return {}
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop()
    return depth > 5 ? name : shape(all[name], all, depth + 1)
  }
  const nested = schema.anyOf || schema.oneOf || schema.allOf
  if (nested) return shape(nested[0], all, depth)
  if (schema.properties) {
    const result = {}
    for (const [name, part] of Object.entries(schema.properties)) {
      result[(schema.required || []).includes(name) ? name : `${name}?`] = shape(part, all, depth + 1)
    }
    return result
  }
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : schema.type || 'any'
  if (type.startsWith('array')) return [shape(schema.items, all, depth + 1)]
  const limits = ['format', 'minLength', 'maxLength', 'minimum', 'maximum'].filter((k) => schema[k] !== undefined)
  return [type, ...limits.map((k) => `${k} ${schema[k]}`)].join(', ')
}

function contents(title, content, all) {
  const box = make('div')
  for (const [type, media] of Object.entries(content || {})) {
    box.append(make('p', `${title} ${type}`), make('pre', JSON.stringify(shape(media.schema, all), null, 2)))
  }
  return box
}

function call(method, path, operation, all) {
  const details = make('details')
  const summary = make('summary')
  summary.append(make('span', method, `method ${method}`), make('code', path), make('span', operation.summary || ''))
  const more = make('div', undefined, 'more')
  if (operation.description) more.append(make('p', operation.description))
  if (operation.parameters && operation.parameters.length) {
    const table = make('table')
    for (const parameter of operation.parameters) {
      const row = make('tr')
      row.append(make('td', parameter.name), make('td', parameter.in), make('td', JSON.stringify(shape(parameter.schema, all))))
      table.append(row)
    }
    more.append(table)
  }
  if (operation.requestBody) more.append(contents('→', operation.requestBody.content, all))
  for (const [status, response] of Object.entries(operation.responses || {})) {
    if (response.content) more.append(contents(`← ${status}`, response.content, all))
    else more.append(make('p', `← ${status} ${response.description || ''}`))
  }
  details.append(summary, more)
  return details
}

async function start() {
  const spec = await (await fetch('/api/openapi.json')).json()
  const all = (spec.components && spec.components.schemas) || {}
  const filter = document.getElementById('filter')
  const main = document.getElementById('calls')
  const draw = () => {
    const wanted = filter.value.trim().toLowerCase()
    main.replaceChildren()
    for (const tag of spec.tags || []) {
      const found = []
      for (const [path, item] of Object.entries(spec.paths)) {
        for (const [method, operation] of Object.entries(item)) {
          if (!operation.tags || !operation.tags.includes(tag.name)) continue
          if (`${method} ${path} ${operation.summary || ''}`.toLowerCase().includes(wanted)) {
            found.push(call(method.toUpperCase(), path, operation, all))
          }
        }
      }
      if (found.length) main.append(make('h2', tag.description || tag.name), ...found)
    }
  }
  filter.addEventListener('input', draw)
  draw()
}

start().catch(() => {
  document.getElementById('calls').textContent = '无法读取 openapi.json，请刷新。 The description cannot be read; please reload.'
})
