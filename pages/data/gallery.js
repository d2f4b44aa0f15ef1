// A grid of any number of images, of which only those in view exist: a hundred thousand
// cells would take a browser minutes. They are asked for in blocks as somebody scrolls.
const BLOCK = 100;
const LEAST = 118;  // pixels of a cell, at the least
const LINE = 17;  // pixels of a line of words below a picture
const PAUSE = 60;  // ms without a scroll after which blocks are asked for
const TELL = 250;  // ms without another choice after which the page hears of it

export default function (component) {
  const root = component.parentElement;
  // This runs again at every rerun of the page: what is chosen and in view stays.
  root.gallery ??= new Gallery(root);
  root.gallery.take(component);
}

class Gallery {
  constructor(root) {
    this.view = root.querySelector('.view');
    this.space = root.querySelector('.space');
    this.count = root.querySelector('.count');
    this.buttons = [root.querySelector('.all'), root.querySelector('.none')];
    this.buttons[0].onclick = () => this.choose(0, this.of - 1, true);
    this.buttons[1].onclick = () => this.clear();
    this.view.onscroll = () => this.draw();
    this.view.onclick = event => this.click(event);
    this.view.onkeydown = event => this.press(event);
    new ResizeObserver(() => this.draw(true)).observe(this.view);
  }

  take(component) {
    const { data } = component;
    this.component = component;
    this.words = data.images;
    const [first, ...rest] = data.images[1];
    this.view.setAttribute('aria-label', first.toUpperCase() + rest.join(''));
    if (this.feed === data.feed) return;
    const stays = this.place === data.place;
    Object.assign(this, { feed: data.feed, place: data.place, of: data.count });
    this.lines = (data.says ? 2 : 1) * LINE + 8;
    // Whoever follows a link to some images wants to do something with these.
    const chosen = data.all && !stays ? Array(this.of).keys() : [];
    Object.assign(this, { items: [], asked: new Set(), chosen: new Set(chosen) });
    Object.assign(this, { here: stays ? Math.min(this.here, this.of - 1) : 0, from: 0 });
    if (!stays) this.view.scrollTop = 0;
    this.draw(true);
    this.say();
    if (this.chosen.size) this.tell();
  }

  // The cells in view, and a screen on either side.
  draw(anew = false) {
    if (!this.of && this.of !== 0) return;
    const width = this.space.clientWidth;
    if (!width) return;
    this.columns = Math.max(2, Math.floor(width / LEAST));
    this.side = width / this.columns;
    this.high = this.side + this.lines;
    const rows = Math.ceil(this.of / this.columns);
    this.space.style.height = `${rows * this.high}px`;
    if (anew) this.space.replaceChildren();
    if (!this.of) {
      const nothing = document.createElement('div');
      nothing.className = 'nothing';
      nothing.textContent = `There is no ${this.words[0]} of this kind.`;
      this.space.replaceChildren(nothing);
    }
    const { scrollTop, clientHeight } = this.view;
    const top = Math.max(0, Math.floor(scrollTop / this.high) - 2);
    const bottom = Math.ceil((scrollTop + clientHeight) / this.high) + 2;
    const first = top * this.columns;
    const last = Math.min(this.of, bottom * this.columns);
    const drawn = new Map([...this.space.children].map(cell => [+cell.dataset.at, cell]));
    for (const [at, cell] of drawn) if (at < first || at >= last) cell.remove();
    for (let at = first; at < last; at += 1) {
      const cell = drawn.get(at) ?? this.space.appendChild(this.cell(at));
      if (!cell.dataset.full && this.items[at]) this.fill(cell, this.items[at]);
    }
    clearTimeout(this.waits);
    this.waits = setTimeout(() => this.ask(first, last), anew ? 0 : PAUSE);
  }

  cell(at) {
    const cell = document.createElement('div');
    cell.className = 'cell';
    cell.dataset.at = at;
    cell.setAttribute('role', 'option');
    cell.style.width = `${this.side}px`;
    cell.style.left = `${(at % this.columns) * this.side}px`;
    cell.style.top = `${Math.floor(at / this.columns) * this.high}px`;
    cell.innerHTML = '<div class="blank"></div>';
    this.mark(cell);
    return cell;
  }

  fill(cell, item) {
    cell.dataset.full = '1';
    const picture = document.createElement('img');
    Object.assign(picture, { src: item.picture, alt: item.path, draggable: false });
    const line = (className, ...texts) => {
      const one = document.createElement('div');
      one.className = className;
      one.append(...texts.map(text => {
        const part = document.createElement('span');
        Object.assign(part, { textContent: text, dir: 'auto' });
        return part;
      }));
      return one;
    };
    cell.title = item.path;
    cell.setAttribute('aria-label', `${item.path}, ${item.class}, ${item.split}`);
    cell.replaceChildren(picture, line('line', item.class, item.split));
    if (item.sound) cell.append(this.player(cell, item));
    if (item.says) cell.append(line('line says', item.says));
  }

  // One player for all: who presses another hears that alone.
  player(cell, item) {
    const button = document.createElement('button');
    button.className = 'play';
    button.type = 'button';
    button.tabIndex = -1;
    button.title = 'Play (key P)';
    button.setAttribute('aria-label', `Play ${item.path}`);
    button.onclick = event => { event.stopPropagation(); this.play(button, item.sound); };
    return button;
  }

  play(button, address) {
    this.sound ??= new Audio();
    const isOn = this.plays === button && !this.sound.paused;
    this.sound.pause();
    this.plays?.classList.remove('on');
    if (isOn) return;
    this.plays = button;
    button.classList.add('on');
    this.sound.src = address;
    this.sound.onended = this.sound.onerror = () => button.classList.remove('on');
    this.sound.play().catch(() => button.classList.remove('on'));
  }

  ask(first, last) {
    for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block += 1) {
      if (!this.asked.has(block)) this.bring(block);
    }
  }

  async bring(block) {
    const { feed } = this;
    this.asked.add(block);
    const answer = await fetch(`${feed}?first=${block * BLOCK}&count=${BLOCK}`)
      .then(said => said.ok && said.json()).catch(() => null);
    if (feed !== this.feed) return;
    if (!answer) {
      this.asked.delete(block);
      this.count.textContent = `The ${this.words[1]} cannot be read now. Reload the page.`;
      return;
    }
    answer.forEach((item, at) => { this.items[block * BLOCK + at] = item; });
    this.draw();
  }

  mark(cell) {
    const at = +cell.dataset.at;
    cell.setAttribute('aria-selected', this.chosen.has(at));
    cell.classList.toggle('here', at === this.here);
  }

  choose(from, to, on) {
    for (let at = Math.min(from, to); at <= Math.max(from, to); at += 1) {
      if (on) this.chosen.add(at); else this.chosen.delete(at);
    }
    this.say();
    this.tell();
  }

  clear() {
    this.chosen.clear();
    this.say();
    this.tell();
  }

  click(event) {
    const cell = event.target.closest('.cell');
    if (!cell) return;
    const at = +cell.dataset.at;
    if (event.shiftKey) this.choose(this.from, at, true);
    else { this.from = at; this.choose(at, at, !this.chosen.has(at)); }
    this.go(at, false);
  }

  press(event) {
    const page = Math.max(1, Math.floor(this.view.clientHeight / this.high)) * this.columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns,
      ArrowDown: this.columns, PageUp: -page, PageDown: page, Home: -this.of, End: this.of };
    if (event.key in steps) {
      const at = Math.min(Math.max(this.here + steps[event.key], 0), this.of - 1);
      if (event.shiftKey) this.choose(this.from, at, true); else this.from = at;
      this.go(at, true);
    } else if (event.key === 'p') {
      this.space.querySelector(`.cell[data-at="${this.here}"] .play`)?.click();
    } else if (event.key === ' ') this.choose(this.here, this.here, !this.chosen.has(this.here));
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) this.choose(0, this.of - 1, true);
    else if (event.key === 'Escape') this.clear();
    else return;
    event.preventDefault();
  }

  go(at, scroll) {
    this.here = at;
    const top = Math.floor(at / this.columns) * this.high;
    const { scrollTop, clientHeight } = this.view;
    if (scroll && top < scrollTop) this.view.scrollTop = top;
    if (scroll && top + this.high > scrollTop + clientHeight) {
      this.view.scrollTop = top + this.high - clientHeight;
    }
    this.say();
  }

  say() {
    const number = this.chosen.size;
    const images = `${this.of.toLocaleString('en')} ${this.words[+(this.of !== 1)]}`;
    this.count.textContent = number
      ? `${number.toLocaleString('en')} of ${images} chosen` : images;
    this.buttons[0].disabled = number === this.of;
    this.buttons[1].disabled = !number;
    for (const cell of this.space.children) if (cell.dataset.at) this.mark(cell);
  }

  // As ranges: all of a hundred thousand are two numbers.
  tell() {
    clearTimeout(this.tells);
    this.tells = setTimeout(() => {
      const ranges = [];
      for (const at of [...this.chosen].sort((a, b) => a - b)) {
        const last = ranges[ranges.length - 1];
        if (last && last[1] === at - 1) last[1] = at; else ranges.push([at, at]);
      }
      this.component.setStateValue('chosen', { feed: this.feed, ranges });
    }, TELL);
  }
}
