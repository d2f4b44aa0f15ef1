// The backbone as one bar for each block: its height is the block's parameters.
export default function ({ data, parentElement, setTriggerValue }) {
  const find = selector => parentElement.querySelector(selector);
  const bars = find('.bars'), about = find('.about');
  const root = find('.drawing');
  root.style.setProperty('--cold', data.cold);
  root.style.setProperty('--warm', data.warm);
  find('.says').textContent = data.says;
  find('.input').textContent = data.input;
  const names = data.blocks.map(block => block.name).join();
  // The bars stay while only their state changes, so that the keyboard keeps its place.
  if (bars.dataset.names !== names) {
    bars.dataset.names = names;
    bars.replaceChildren(...data.blocks.map(() => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(Object.assign(document.createElement('span'), { className: 'bar' }));
      return button;
    }));
  }
  const most = Math.max(...data.blocks.map(block => block.parameters), 1);
  data.blocks.forEach((block, index) => {
    const button = bars.children[index];
    button.className = `${block.state} ${block.cut}`;
    button.disabled = block.state === 'empty';
    button.setAttribute('aria-pressed', String(block.state === 'trains'));
    button.setAttribute('aria-label', block.about);
    button.firstChild.style.height = `${100 * block.parameters / most}%`;
    const tell = () => { about.textContent = block.about; };
    button.onmouseenter = button.onfocus = tell;
    if (button.matches(':hover')) tell();
    button.onclick = event => setTriggerValue(
      'click', { block: block.name, only: data.only !== event.shiftKey });
  });
  bars.onmouseleave = () => { about.textContent = data.hint; };
  if (!bars.matches(':hover')) about.textContent = data.hint;
}
