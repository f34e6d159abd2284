"use strict";
// The list is the data: each row has its start and length (microseconds), its lane and its level in the lane.
(() => {
  const SVG = "http://www.w3.org/2000/svg", LABELS = 150, LEVEL = 18, AXIS = 20, CHAR = 6.6, ARROWS = 9;
  const panel = document.getElementById("panel"), drawing = document.getElementById("drawing");
  const now = document.getElementById("now"), ticks = document.querySelectorAll(".axis i");
  const boxes = [...document.querySelectorAll("[data-lane]")];
  const rows = [...document.querySelectorAll("li.e")];
  const events = rows.map((row, index) => {
    const start = +row.dataset.s, open = row.classList.contains("unended");
    return {
      row, index, start, open, bar: row.querySelector("rect"), lane: +row.dataset.l, level: +row.dataset.y,
      end: row.dataset.d === "" ? start : start + +row.dataset.d, moment: !open && !(+row.dataset.d > 0),
      value: row.dataset.v, name: row.querySelector(".n").textContent, failed: row.classList.contains("failed"),
      kind: row.classList[1],
    };
  });
  const whole = Math.max(1, +drawing.dataset.end);
  for (const event of events) if (event.open) event.end = whole;
  const owned = boxes.map(() => []);
  for (const event of events) owned[event.lane].push(event);
  const lanes = boxes.map((box, index) => {
    const own = owned[index];
    const counts = own.some((event) => event.value !== undefined);
    const levels = 1 + own.reduce((most, event) => Math.max(most, event.level), 0) + counts;
    return { box, own, counts, levels, name: box.parentElement.textContent.trim() };
  });
  const arrows = drawing.dataset.arrows.split(";").filter(Boolean).map((text) => text.split(",").map(Number));
  const view = { from: 0, to: whole };
  const shown = new Set();
  let chosen = -1, waiting = false;

  const element = (name, attributes, parent) => {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    parent.append(made);
    return made;
  };
  const text = (words, x, y, parent, css = "") => {
    element("text", { x, y, class: css }, parent).textContent = words;
  };
  const milliseconds = (us, step) => (us / 1000).toFixed(Math.max(0, Math.min(3, Math.ceil(3 - Math.log10(step)))));
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "12px system-ui, 'DejaVu Sans', sans-serif"; // of #drawing text
  const fitted = (words, width) => {
    if (words.length * CHAR / 2 < width && pen.measureText(words).width <= width) return words;
    let most = Math.min(words.length - 1, Math.floor((2 * width) / CHAR));
    while (most > 0 && pen.measureText(words.slice(0, most) + "\u2026").width > width) most -= 1;
    return most > 2 ? words.slice(0, most) + "\u2026" : "";
  };
  const stepOf = (span, most) => {
    const power = 10 ** Math.floor(Math.log10(Math.max(span / most, 1)));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => span / step <= most) || 10 * power;
  };

  function bars(list) {
    const span = view.to - view.from;
    for (const row of list.children) {
      const event = events[row.dataset.i];
      const x = Math.max(-10, ((event.start - view.from) / span) * 1000);
      const end = Math.min(1010, ((event.end - view.from) / span) * 1000);
      event.bar.setAttribute("x", x.toFixed(2));
      event.bar.setAttribute("width", Math.max(0, Math.max(end - x, x > 1000 || end < 0 ? 0 : 2)).toFixed(2));
    }
  }

  function axis(width, height, place) {
    const span = view.to - view.from, step = stepOf(span, Math.max(2, Math.floor((width - LABELS) / 90)));
    for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
      element("line", { x1: place(us), x2: place(us), y1: AXIS - 4, y2: height, class: "grid" }, drawing);
      text(milliseconds(us, step) + " ms", place(us) + 3, 12, drawing, "tick");
    }
    ticks.forEach((tick, index) => {
      tick.textContent = milliseconds(view.from + (span * index) / (ticks.length - 1), Math.max(span / 1000, 1));
    });
  }

  function curve(lane, top, place) {
    const points = lane.own.filter((event) => event.value !== undefined);
    const low = Math.min(...points.map((e) => +e.value)), high = Math.max(...points.map((e) => +e.value), low + 1);
    let path = "";
    points.forEach((event, index) => {
      const x = Math.max(place(event.start), LABELS);
      const y = top + LEVEL - 3 - ((+event.value - low) / (high - low)) * (LEVEL - 6);
      path += index ? `H${x}V${y}` : `M${x} ${y}`;
    });
    if (path) element("path", { d: path + "H" + place(view.to), class: "curve" }, drawing);
  }

  function lane(lane, top, width, place) {
    const last = new Map(), pending = new Map();
    const label = (level, until) => {
      const open = pending.get(level);
      if (open) text(fitted(open.words, until - open.x - 6), open.x + 4, open.y, drawing);
      pending.delete(level);
    };
    if (lane.counts) curve(lane, top + (lane.levels - 1) * LEVEL, place);
    for (const event of lane.own) {
      if (event.end < view.from || event.start > view.to) continue;
      const x = Math.max(place(event.start), LABELS), end = Math.min(place(event.end), width);
      const special = event.failed || event.index === chosen, y = top + event.level * LEVEL;
      if (!special && end - x < 1 && x < (last.get(event.level) || 0) + 1) continue;
      last.set(event.level, Math.max(end, x));
      label(event.level, x);
      const states = { failed: event.failed, unended: event.open, chosen: event.index === chosen };
      const css = [event.kind, ...Object.keys(states).filter((state) => states[state])].join(" ");
      if (event.moment) {
        const shape = { x1: x, x2: x, y1: y + 2, y2: y + LEVEL - 2, class: "mark " + css };
        element("line", shape, drawing).dataset.i = event.index;
        pending.set(event.level, { words: event.value === undefined ? event.name : event.value + " ms", x, y: y + 13 });
      } else {
        const shape = { x, y: y + 1, width: Math.max(end - x, 1), height: LEVEL - 2, class: "slice " + css };
        element("rect", shape, drawing).dataset.i = event.index;
        if (end - x > 4 * CHAR) text(fitted(event.name, end - x - 6), x + 3, y + 13, drawing);
        else pending.set(event.level, { words: event.name, x: end, y: y + 13 });
      }
    }
    for (const level of [...pending.keys()]) label(level, width);
  }

  function draw() {
    waiting = false;
    const width = Math.max(LABELS + 50, drawing.clientWidth);
    const place = (us) => LABELS + ((us - view.from) / (view.to - view.from)) * (width - LABELS);
    const visible = lanes.filter((one) => one.box.checked), tops = new Map();
    let height = AXIS;
    for (const one of visible) {
      tops.set(lanes.indexOf(one), height);
      height += one.levels * LEVEL + 6;
    }
    drawing.replaceChildren();
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("height", height);
    axis(width, height, place);
    for (const one of visible) {
      const top = tops.get(lanes.indexOf(one));
      element("line", { x1: 0, x2: width, y1: top - 3, y2: top - 3, class: "grid" }, drawing);
      text(fitted(one.name, LABELS - 6), 4, top + 13, drawing);
      lane(one, top, width, place);
    }
    let free = 0;
    for (const [at, from, to] of arrows) {
      const x = place(at), down = tops.get(to);
      if (at < view.from || at > view.to || x < free || !tops.has(from) || down === undefined) continue;
      free = x + ARROWS;
      const d = `M${x} ${tops.get(from) + LEVEL - 2}L${x} ${down}m-3 -5l3 5l3 -5`;
      element("path", { d, class: "arrow" }, drawing);
    }
    shown.forEach(bars);
    document.documentElement.style.setProperty("--top", panel.offsetHeight + "px");
  }

  const redraw = () => {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  };
  function look(from, to) {
    const span = Math.min(Math.max(to - from, 5), whole);
    view.from = Math.min(Math.max(from, 0), whole - span);
    view.to = view.from + span;
    redraw();
  }
  function zoom(factor, around) {
    const event = events[chosen], span = view.to - view.from;
    const inside = event && event.start >= view.from && event.start <= view.to;
    const middle = around ?? (inside ? event.start : view.from + span / 2);
    look(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  }
  function choose(index) {
    const event = events[index];
    if (!event) return;
    chosen = index;
    const [at, lasted, row, words] = [...event.row.children].map((child) => child.textContent.trim());
    now.textContent = `${index + 1} of ${events.length}: ${row}, at ${at} ms${lasted ? `, ${lasted} ms` : ""}: ${words}`;
    const span = view.to - view.from;
    if (event.start < view.from || event.start > view.to) look(event.start - span / 2, event.start + span / 2);
    redraw();
  }
  const near = (step, fits) => {
    let index = chosen + step;
    while (events[index] && !(events[index].row.offsetParent && fits(events[index]))) index += step;
    return events[index] ? index : chosen;
  };
  const go = (index) => events[index]?.row.focus();
  const any = () => true, same = (event) => chosen < 0 || event.lane === events[chosen].lane;
  const keys = {
    ArrowDown: () => go(near(1, any)), ArrowUp: () => go(near(-1, any)),
    ArrowRight: () => go(near(1, same)), ArrowLeft: () => go(near(-1, same)),
    Home: () => go(0), End: () => go(events.length - 1), n: () => go(near(1, (event) => event.failed)),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, whole),
    "[": () => look(view.from - (view.to - view.from) / 4, view.to - (view.to - view.from) / 4),
    "]": () => look(view.from + (view.to - view.from) / 4, view.to + (view.to - view.from) / 4),
    f: () => {
      const event = events[chosen], margin = event ? Math.max((event.end - event.start) / 8, 20) : 0;
      if (event) look(event.start - margin, event.end + margin);
    },
  };
  document.addEventListener("keydown", (press) => {
    const act = press.ctrlKey || press.altKey || press.metaKey ? undefined : keys[press.key];
    if (!act) return;
    press.preventDefault();
    act();
  });
  document.addEventListener("focusin", (focus) => {
    const row = focus.target.closest("li.e");
    if (row) choose(+row.dataset.i);
  });
  for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", keys[button.dataset.key]);
  drawing.addEventListener("click", (click) => {
    if (click.target.dataset.i) go(+click.target.dataset.i);
  });
  drawing.addEventListener("wheel", (wheel) => {
    if (!wheel.ctrlKey) return;
    wheel.preventDefault();
    const box = drawing.getBoundingClientRect(), share = (wheel.clientX - box.left - LABELS) / (box.width - LABELS);
    zoom(wheel.deltaY > 0 ? 1.25 : 0.8, view.from + Math.min(Math.max(share, 0), 1) * (view.to - view.from));
  }, { passive: false });
  boxes.forEach((box, index) => box.addEventListener("change", () => {
    for (const event of lanes[index].own) event.row.hidden = !box.checked;
    redraw();
  }));
  const seen = new IntersectionObserver((lists) => {
    for (const list of lists) {
      if (list.isIntersecting) { shown.add(list.target); bars(list.target); } else shown.delete(list.target);
    }
  });
  rows.forEach((row, index) => { row.dataset.i = index; });
  document.querySelectorAll("main ul").forEach((list) => seen.observe(list));
  addEventListener("resize", redraw);
  panel.hidden = false;
  draw();
})();
