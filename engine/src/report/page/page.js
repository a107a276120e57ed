// Puts the parts together: controls, opening and closing, the keyboard.

function draw() {
  writeAddress();
  drawTable();
  drawPanel();
}

/** Opens a cell, and in it the case of that key if one is given. */
function openCell(key, shown, focus) {
  state.open = key;
  state.shown = shown;
  active = key;
  draw();
  if (!focus) return;
  const panel = byId("panel");
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

function closeCell() {
  const key = state.open;
  state.open = null;
  state.shown = null;
  active = key;
  draw();
  const cell = find(key);
  if (cell) cell.focus();
}

/** Opens the cell of a case, with nothing hidden that would hide it. */
function goTo(number) {
  const item = page.cases[number];
  state.hidden.delete(page.marks[item.mark].word);
  if (!wanted().includes(number)) Object.assign(state, { scenario: "", tag: "", search: "" });
  fillControls();
  openCell(cellOf(item), keyOf(item), false);
  const entry = [...byId("panel").querySelectorAll(".case")].find((entry) => entry.dataset.case === keyOf(item));
  if (!entry) return;
  entry.scrollIntoView({ block: "start" });
  entry.querySelector("summary").focus({ preventScroll: true });
}

function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => {
    const option = make("option", { value }, text);
    option.selected = value === chosen;
    return option;
  }));
}

function fillControls() {
  const axes = page.axes.map((axis) => [axis.name, axis.name]);
  options(byId("rows"), axes, state.rows);
  options(byId("columns"), axes.filter(([name]) => name !== state.rows), state.columns);
  options(byId("within"), [["", "–"], ...axes.filter(([name]) => name !== state.rows && name !== state.columns)], state.within);
  const names = page.axes[SCENARIO].values;
  const folders = [...new Set(names.filter((name) => name.includes("/")).map((name) => name.slice(0, name.lastIndexOf("/"))))];
  options(byId("scenario"), [["", "all"], ...folders.map((name) => [name, name + "/…"]), ...names.map((name) => [name, name])], state.scenario);
  options(byId("tag"), [["", "all"], ...[...page.tags].sort().map((tag) => [tag, tag])], state.tag);
  byId("tag").parentElement.hidden = page.tags.length === 0;
  if (byId("search").value !== state.search) byId("search").value = state.search;
}

function listen() {
  for (const name of ["rows", "columns", "within", "scenario", "tag"]) {
    byId(name).addEventListener("change", (event) => {
      state[name] = event.target.value;
      // A cell of other axes is no cell of these.
      if (["rows", "columns", "within"].includes(name)) state.open = state.shown = null;
      rowLimit = ROWS_AT_ONCE;
      tidy();
      fillControls();
      draw();
    });
  }
  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    state.search = event.target.value;
    clearTimeout(waiting);
    waiting = setTimeout(draw, page.cases.length > 2000 ? 200 : 30);
  });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => {
    Object.assign(state, first, { hidden: new Set(first.hidden) });
    fillControls();
    draw();
  });
  byId("verdicts").append(...page.marks.map((mark, number) => ({ mark, number })).filter(({ number }) => page.cases.some((item) => item.mark === number)).map(({ mark, number }) => {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (box.checked) state.hidden.delete(mark.word);
      else state.hidden.add(mark.word);
      draw();
    });
    const label = make("label", { class: markClass(number) }, box, mark.symbol + " " + mark.word + " ", make("output", {}));
    label.dataset.mark = number;
    label.dataset.word = mark.word;
    return label;
  }));
  byId("more").addEventListener("click", () => {
    rowLimit += ROWS_AT_ONCE;
    drawTable();
  });
  byId("table").addEventListener("click", (event) => {
    const cell = event.target.closest("td[tabindex]");
    if (!cell) return;
    if (cell.dataset.key === state.open) closeCell();
    else openCell(cell.dataset.key, null, true);
  });
  byId("table").addEventListener("keydown", onTableKey);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.open !== null && event.target.id !== "search") closeCell();
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      byId("search").focus();
      event.preventDefault();
    }
  });
  window.addEventListener("hashchange", () => {
    readAddress();
    fillControls();
    draw();
  });
}

readAddress();
fillControls();
listen();
byId("app").hidden = false;
draw();
