// Light or dark, as the system says; Tabler wants it as an attribute. In a file of its own: the page's policy allows no
// inline script.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", show);
  show();
})();
