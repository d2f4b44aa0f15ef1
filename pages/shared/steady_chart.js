// A Plotly figure: what is there already is changed, not drawn anew.
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector('.figure');
  place.setAttribute('aria-label', data.alt);
  place.style.minHeight = `${data.height}px`;  // also before Plotly has come
  place.tell = ({ points: [one] }) => setTriggerValue(
    'click', { trace: one.curveNumber, point: one.pointIndex });
  if (place.shown === data.figure) return;
  place.shown = data.figure;
  draw(place, data).catch(() => { place.shown = undefined; });
}

async function draw(place, data) {
  const Plotly = await library(data.plotly);
  if (place.shown !== data.figure) return;  // a newer one came meanwhile
  const { data: traces, layout } = JSON.parse(data.figure);
  const config = {
    displayModeBar: data.tools ? 'hover' : false, displaylogo: false, responsive: true,
  };
  await Plotly.react(place, traces, layout, config);
  if (place.listens) return;
  place.listens = true;
  place.on('plotly_click', event => place.tell(event));
}
