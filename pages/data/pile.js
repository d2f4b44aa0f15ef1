// Pictures of a group: each is pressed to leave it away, or to take it in again.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.tiles');
  if (root.group === data.group) return;  // a rerun of the page: what is chosen stays
  root.group = data.group;
  root.replaceChildren(...data.tiles.map(({ picture, path, says, on }) => {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.title = path;
    tile.setAttribute('aria-pressed', on);
    tile.setAttribute('aria-label', path);
    const image = Object.assign(new Image(), { src: picture, alt: '', draggable: false });
    const words = Object.assign(document.createElement('span'), { textContent: says });
    words.dir = 'auto';
    tile.append(image, words);
    tile.onclick = () => {
      tile.setAttribute('aria-pressed', tile.getAttribute('aria-pressed') !== 'true');
      // At once: the next press may be that of the button which takes them.
      const at = [...root.children].flatMap((one, number) =>
        (one.getAttribute('aria-pressed') === 'true' ? [number] : []));
      setStateValue('chosen', { group: data.group, at });
    };
    return tile;
  }));
}
