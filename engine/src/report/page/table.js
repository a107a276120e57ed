// The table: cases by the chosen axes, and how one moves among its cells.

/** So many rows are put in at a time. */
const ROWS_AT_ONCE = 150;
let rowLimit = ROWS_AT_ONCE;
let cells = new Map();
let active = null;

const columnAxes = () => [state.columns, state.within].filter((name) => name).map((name) => axisNumber.get(name));
const rowAxis = () => axisNumber.get(state.rows);
/** Values in their order; cases without the axis last. */
const order = (value) => (value === null ? Number.MAX_SAFE_INTEGER : value);
const nameIn = (axis, value) => (value === null ? NONE : page.axes[axis].values[value]);

/** The cell of a case in the table as it is chosen now. */
function cellOf(item) {
  return JSON.stringify([rowAxis(), ...columnAxes()].map((axis) => valueOf(item, axis)));
}

/** Verdicts of which a whole row or column is left out, unless there are no others. */
const QUIET = new Set(["not applicable", "filtered"]);

/** Puts the cases into cells. */
function gather(numbers) {
  const rows = new Map();
  const columns = new Map();
  cells = new Map();
  const axes = columnAxes();
  const onlyQuiet = numbers.every((number) => [...QUIET, ...state.hidden].includes(page.marks[page.cases[number].mark].word));
  for (const number of numbers) {
    const item = page.cases[number];
    if (state.hidden.has(page.marks[item.mark].word)) continue;
    const column = axes.map((axis) => item.at[axis]);
    const says = !QUIET.has(page.marks[item.mark].word) || onlyQuiet;
    if (says) rows.set(item.at[rowAxis()], true);
    if (says) columns.set(column.join(), column);
    const key = cellOf(item);
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(number);
  }
  const sortedRows = [...rows.keys()].sort((a, b) => order(a) - order(b));
  const sortedColumns = [...columns.values()].sort((a, b) => {
    const at = a.findIndex((value, i) => value !== b[i]);
    return at < 0 ? 0 : order(a[at]) - order(b[at]);
  });
  return { rows: sortedRows, columns: sortedColumns };
}

/** What a cell says: the worst verdict, and how many. */
function tally(numbers) {
  const counts = new Map();
  let worst = null;
  let unbooted = false;
  for (const number of numbers) {
    const item = page.cases[number];
    counts.set(item.mark, (counts.get(item.mark) || 0) + 1);
    if (worst === null || page.marks[item.mark].rank > page.marks[worst].rank) worst = item.mark;
    const holds = ["pass", "warn"].includes(page.marks[item.mark].word);
    unbooted ||= holds && item.boot !== undefined && !page.boots[item.boot].up;
  }
  const sum = (test) => [...counts].reduce((n, [mark, count]) => n + (test(page.marks[mark]) ? count : 0), 0);
  const mark = page.marks[worst];
  const ran = sum((mark) => mark.ran);
  const some = mark.word === "warn" ? counts.get(worst) : sum((mark) => mark.bad);
  const number = !mark.ran ? String(counts.get(worst)) : mark.word === "pass" ? String(ran) : some + "/" + ran;
  const words = page.marks.map((mark, at) => (counts.has(at) ? counts.get(at) + " " + mark.word : "")).filter((word) => word);
  return { worst, text: mark.symbol + " " + number + (unbooted ? "°" : ""), words: words.join(", ") };
}

/** Builds the table anew. */
function drawTable() {
  const numbers = wanted();
  const { rows, columns } = gather(numbers);
  const table = byId("table");
  const axes = columnAxes();
  const header = axes.map((axis, level) => {
    const line = make("tr", {}, make("th", { scope: "col" }, level === axes.length - 1 ? state.rows + " \\ " + page.axes[axis].name : page.axes[axis].name));
    for (let at = 0; at < columns.length; ) {
      let span = 1;
      const same = (other) => other && other.slice(0, level + 1).join() === columns[at].slice(0, level + 1).join();
      while (level < axes.length - 1 && same(columns[at + span])) span += 1;
      const group = level < axes.length - 1;
      line.append(make("th", { scope: group ? "colgroup" : "col", colspan: span > 1 && span, class: group && "group" }, nameIn(axis, columns[at][level])));
      at += span;
    }
    return line;
  });
  const body = make("tbody", {});
  for (const row of rows.slice(0, rowLimit)) {
    const line = make("tr", { role: "row" }, make("th", { scope: "row" }, nameIn(rowAxis(), row)));
    for (const column of columns) {
      const names = [nameIn(rowAxis(), row), ...column.map((value, at) => nameIn(axes[at], value))];
      const key = JSON.stringify(names);
      if (!cells.has(key)) {
        line.append(make("td", { class: "empty", role: "gridcell", "aria-label": names.join(", ") + ": no case" }));
        continue;
      }
      const told = tally(cells.get(key));
      const cell = make("td", {
        class: markClass(told.worst) + (key === state.open ? " open" : ""), role: "gridcell", tabindex: "-1",
        "aria-label": names.join(", ") + ": " + told.words, title: told.words, "aria-selected": String(key === state.open),
      }, told.text);
      cell.dataset.key = key;
      line.append(cell);
    }
    body.append(line);
  }
  table.replaceChildren(make("thead", {}, header), body);
  const more = rows.length - rowLimit;
  byId("more").hidden = more <= 0;
  byId("more").textContent = "Show " + Math.min(more, ROWS_AT_ONCE) + " of " + more + " more rows";
  drawCounts(numbers);
  setActive(find(active) || find(state.open) || table.querySelector("td[tabindex]"));
}

/** How many cases there are of each verdict, beside its box. */
function drawCounts(numbers) {
  const counts = page.marks.map(() => 0);
  for (const number of numbers) counts[page.cases[number].mark] += 1;
  const shown = numbers.filter((number) => !state.hidden.has(page.marks[page.cases[number].mark].word)).length;
  byId("count").textContent = shown + " of " + page.cases.length + " cases shown" + (shown ? "" : ": no case has all of that");
  for (const label of byId("verdicts").querySelectorAll("label")) {
    const mark = Number(label.dataset.mark);
    label.querySelector("output").textContent = counts[mark];
    label.querySelector("input").checked = !state.hidden.has(page.marks[mark].word);
  }
}

const find = (key) => [...byId("table").querySelectorAll("td[tabindex]")].find((cell) => cell.dataset.key === key) || null;

/** One cell alone is a stop of the Tab key. */
function setActive(cell) {
  for (const other of byId("table").querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
  active = cell ? cell.dataset.key : null;
  if (cell) cell.tabIndex = 0;
}

/** Moves to the next cell that has cases in a direction. */
function move(cell, down, right) {
  const lines = [...byId("table").tBodies[0].rows];
  let row = lines.indexOf(cell.parentElement);
  let column = cell.cellIndex;
  for (;;) {
    row += down;
    column += right;
    const next = lines[row] && column > 0 ? lines[row].cells[column] : null;
    if (!next) return;
    if (next.tabIndex >= -1 && next.dataset.key) {
      setActive(next);
      next.focus();
      return;
    }
  }
}

function onTableKey(event) {
  const cell = event.target.closest("td[tabindex]");
  if (!cell) return;
  const ways = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  const inLine = [...cell.parentElement.querySelectorAll("td[tabindex]")];
  if (ways[event.key]) move(cell, ...ways[event.key]);
  else if (event.key === "Home" || event.key === "End") {
    const end = event.key === "Home" ? inLine[0] : inLine[inLine.length - 1];
    setActive(end);
    end.focus();
  } else if (event.key === "Enter" || event.key === " ") openCell(cell.dataset.key, null, true);
  else return;
  event.preventDefault();
}
