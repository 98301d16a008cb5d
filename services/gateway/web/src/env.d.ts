/// <reference types="vite/client" />
declare module 'element-plus/es/locale/lang/zh-cn' {
  const language: import('element-plus').Language
  export default language
}
declare module 'element-plus/es/locale/lang/en' {
  const language: import('element-plus').Language
  export default language
}
