// The next numbers of a series, written anew while its pattern is typed. The server decides what a pattern may be.
document.addEventListener("DOMContentLoaded", () => {
  const example = document.getElementById("number-example");
  const pattern = document.getElementById("id_pattern");
  if (!example || !pattern) return;
  const show = () => {
    const texts = [1, 2].map((step) => {
      const number = String(Number(example.dataset.last) + step);
      return pattern.value
        .replace("{year}", example.dataset.year)
        .replace(/\{number(?::0([1-9]))?\}/, (_all, width) => number.padStart(Number(width || 1), "0"));
    });
    example.textContent = /\{number(:0[1-9])?\}/.test(pattern.value) ? texts.join(", ") : "–";
  };
  pattern.addEventListener("input", show);
  show();
});
