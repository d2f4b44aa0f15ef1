// A run as it goes on. Once a second this asks the server what is new and draws it;
// Streamlit hears of it only when the page has something else to say.
const PERIOD = 1000;
const CONFIG = { displayModeBar: false, responsive: true };

export default function (component) {
  const root = component.parentElement;
  // This runs again at every rerun of the page.
  root.live ??= new Live(root);
  root.live.take(component);
  return () => root.live.end();
}

class Live {
  constructor(root) {
    this.find = selector => root.querySelector(selector);
  }

  take(component) {
    const isNew = component.data.url !== this.component?.data.url;
    this.component = component;
    this.isShown = true;
    this.find('.live-run').classList.toggle('live-goes-on', component.data.goes_on);
    const charts = this.find('.live-charts'), wanted = component.data.charts;
    while (charts.children.length > wanted.length) charts.lastChild.remove();
    while (charts.children.length < wanted.length) charts.append(document.createElement('div'));
    wanted.forEach(({ about }, index) => {
      charts.children[index].setAttribute('role', 'img');
      charts.children[index].setAttribute('aria-label', about);
    });
    if (this.tag) this.draw();
    clearTimeout(this.timer);
    // What the server said before this rerun would look like another change.
    this.timer = setTimeout(() => this.ask(), isNew ? 0 : PERIOD);
  }

  end() {
    this.isShown = false;
    clearTimeout(this.timer);
  }

  async ask() {
    const { data } = this.component;
    try {
      if (!document.hidden) await this.hear(await fetch(data.url));
    } catch { /* The server is away, and Streamlit says so. */ }
    clearTimeout(this.timer);
    const again = this.isShown && (data.goes_on || !this.tag);
    if (again) this.timer = setTimeout(() => this.ask(), PERIOD);
  }

  async hear(response) {
    if (response.ok && response.headers.get('etag') !== this.tag) {
      this.news = await response.json();
      this.show();
      await this.draw();
      this.tag = response.headers.get('etag');  // at last, so that a failure is mended
    }
    // A run that is gone, or an address that is too old, is for the page to mend.
    this.tell(response.ok ? this.news.status : String(response.status));
  }

  tell(status) {
    const { data, setTriggerValue } = this.component;
    if (status === data.status || status === this.told) return;
    this.told = status;
    setTriggerValue('changed', status);
  }

  show() {
    const { phase, part, tiles } = this.news;
    this.find('.live-where').hidden = !tiles;
    if (!tiles) return;
    // A screen reader tells what changes here, so it is changed only where it differs.
    const said = this.find('.live-phase');
    if (said.textContent !== phase) said.textContent = phase;
    const track = this.find('.live-track');
    track.setAttribute('aria-valuenow', Math.round(100 * part));
    track.firstChild.style.width = `${100 * part}%`;
    this.find('.live-tiles').replaceChildren(...Object.entries(tiles).map(([name, value]) => {
      const tile = document.createElement('div');
      for (const [tag, text] of [['dt', name], ['dd', value]]) {
        tile.append(Object.assign(document.createElement(tag), { textContent: text }));
      }
      return tile;
    }));
  }

  async draw() {
    const { data } = this.component;
    const Plotly = await library(data.plotly);
    data.charts.forEach(({ layout }, index) => {
      const curves = this.news.curves[index];
      if (!curves?.some(curve => curve.x.length)) return;
      Plotly.react(this.find('.live-charts').children[index], curves,
        structuredClone(layout), CONFIG);
    });
  }
}
