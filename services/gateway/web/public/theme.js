// Runs before anything is drawn: the theme chosen last on this computer, so that a dark page never begins white.
// src/stores/appearance.ts goes on from here.
;(function () {
  var kept = null
  try {
    kept = localStorage.getItem('tongguan.theme')
  } catch {
    // storage is forbidden by the browser's settings: as the system says
  }
  var dark = kept === 'dark' || (kept !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
})()
